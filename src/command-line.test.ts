import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWord, signInLine } from './command-line.ts';

/** The words that a shell makes of a line. */
function wordsOf(line: string): readonly string[] {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return stdout.split('\0').slice(0, -1);
}

describe('a sign-in line', () => {
  it.each([
    [{ provider: 'github' }, 'authsome login github'],
    [{ provider: 'github', connection: 'default', force: true }, 'authsome login github --force'],
    [
      { provider: 'github', connection: 'work', baseUrl: 'https://ghe.example.com', force: true },
      'authsome login github --connection work --base-url https://ghe.example.com --force',
    ],
    [
      { provider: 'github', flow: 'device_code', scopes: ['repo', 'read:org'] },
      'authsome login github --flow device_code --scopes "repo,read:org"',
    ],
    [{ provider: 'github', scopes: [], force: false }, 'authsome login github'],
  ])('for %j names what differs from the defaults, and nothing else', (target, line) => {
    expect(signInLine(target)).toBe(line);
  });

  it('is one command, whatever a service calls its scopes', () => {
    const scopes = ['$(id)', '`id`', "it's", 'a;b&c'];
    expect(wordsOf(signInLine({ provider: 'evil', scopes, force: true }))).toEqual([
      'authsome',
      'login',
      'evil',
      '--scopes',
      scopes.join(','),
      '--force',
    ]);
  });
});

it('a shell word is read by a shell as the text that it was made of', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 20 }), (texts) => {
      const plain = texts.map((text) => text.replaceAll('\0', ''));
      expect(wordsOf(plain.map(shellWord).join(' '))).toEqual(plain);
    }),
    { numRuns: 50 },
  );
});
