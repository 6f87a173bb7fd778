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

  it('reads several connections of one provider, and the variables of those after the first', () => {
    expect(
      read(
        '--connection gh=a --connection=gh=b --connection gh=bot:BOT_TOKEN --connection ai=x:AI_TOKEN cmd',
      ),
    ).toMatchObject({
      connections: { gh: 'a' },
      further: [
        { provider: 'gh', connection: 'b' },
        { provider: 'gh', connection: 'bot', variable: 'BOT_TOKEN' },
        { provider: 'ai', connection: 'x', variable: 'AI_TOKEN' },
      ],
    });
    expect(() => read('--connection github=bot: true')).toThrow('PROVIDER=NAME[:VARIABLE]');
    expect(() => read('--connection github=:GH_TOKEN true')).toThrow('PROVIDER=NAME[:VARIABLE]');
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

  it('reads each option without a value, in any order', () => {
    expect(read('--strict --trusted true')).toMatchObject({
      isStrict: true,
      isTrusted: true,
      inheritsSecrets: false,
      isDryRun: false,
    });
    expect(read('true --strict')).toMatchObject({ isStrict: false, commandArguments: ['--strict'] });
  });

  it('suggests the option that was meant', () => {
    expect(() => read('--provder github true')).toThrow('unknown option: --provder');
    expect(() => read('--connection github true')).toThrow(
      '--connection needs PROVIDER=NAME[:VARIABLE], not: github',
    );
    expect(() => read('--provider')).toThrow('--provider needs a value');
  });
});
