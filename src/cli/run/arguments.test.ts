import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noFlags } from '../global-flags.ts';
import { readRunArguments } from './arguments.ts';

const read = (line: string) => readRunArguments(line.split(' '), noFlags);

describe('the arguments of run', () => {
  test('takes its own options and leaves the command’s alone', () => {
    expect(
      read('--provider github --provider=openai/work --connection slack=team -q git log -p -- x'),
    ).toMatchObject({
      flags: { quiet: true },
      providers: ['github', 'openai/work'],
      connections: { slack: 'team' },
      command: 'git',
      commandArguments: ['log', '-p', '--', 'x'],
    });
  });

  test('takes out the first -- only', () => {
    expect(read('-- cmd -x -- y')).toMatchObject({ command: 'cmd', commandArguments: ['-x', '--', 'y'] });
  });

  test('never reads an option from behind the command', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (rest) => {
        const told = readRunArguments(['--', 'agent', ...rest], noFlags);
        expect(told.commandArguments).toEqual(rest);
        expect(told.providers).toEqual([]);
      }),
    );
  });

  test('suggests the option that was meant', () => {
    expect(() => read('--provder github true')).toThrow('unknown option: --provder');
    expect(() => read('--connection github true')).toThrow('--connection needs PROVIDER=NAME, not: github');
    expect(() => read('--provider')).toThrow('--provider needs a value');
  });
});
