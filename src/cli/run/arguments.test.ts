import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noFlags } from '../global-flags.ts';
import { readRunArguments } from './arguments.ts';

const read = (line: string) => readRunArguments(line.split(' '), noFlags);

describe('the arguments of run', () => {
  it('takes its own options and leaves the command’s alone', () => {
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

  it('takes out the first -- only', () => {
    expect(read('-- cmd -x -- y')).toMatchObject({ command: 'cmd', commandArguments: ['-x', '--', 'y'] });
  });

  it('never reads an option from behind the command', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (rest) => {
        const parsed = readRunArguments(['--', 'agent', ...rest], noFlags);
        expect(parsed.commandArguments).toEqual(rest);
        expect(parsed.providers).toEqual([]);
      }),
    );
  });

  it('suggests the option that was meant', () => {
    expect(() => read('--provder github true')).toThrow('unknown option: --provder');
    expect(() => read('--connection github true')).toThrow('--connection needs PROVIDER=NAME, not: github');
    expect(() => read('--provider')).toThrow('--provider needs a value');
  });
});
