import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './pattern.ts';
import { phantomFor, phantomOfPattern } from './phantom/index.ts';

const bytes = (seed: number) => {
  let state = seed;
  return (size: number) =>
    Uint8Array.from({ length: size }, () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state >> 16;
    });
};

const patterns = [
  '^sk-[A-Za-z0-9_-]{20,}$',
  '^(?:gh[pousr]_[A-Za-z0-9_]{36,255}|github_pat_[A-Za-z0-9_]{36,255})$',
  '^[0-9a-f]{32}$',
  '^SG\\.[\\w-]{22}\\.[\\w-]{43}$',
  '^eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+$',
  '^[^\\s"]{40}$'.replace('\\s', ' '),
  '^([a-z0-9-]+\\.)*[a-z]{30}$',
  '^[A-Z0-9]{20}$',
  '^AKIA[A-Z2-7]{16}$',
  '^.{40}$',
  '^a?b{3}(?:c|d){4}[0-9]{30}$',
];

describe('key patterns', () => {
  it.each(patterns)('%s: is accepted, and has a phantom that satisfies it', (source) => {
    const expression = compilePattern(source);
    const phantom = phantomOfPattern(source, bytes(7));
    expect(phantom).toMatch(expression);
    expect(phantom).not.toBe(phantomOfPattern(source, bytes(8)));
  });

  it('has the word in the phantom wherever there is room, in capitals if need be', () => {
    expect(phantomOfPattern('^sk-[A-Za-z0-9]{20,}$', bytes(1))).toMatch(/^sk-phantom/);
    expect(phantomOfPattern('^[A-Z0-9]{20}$', bytes(1))).toMatch(/^PHANTOM/);
    expect(phantomOfPattern('^[0-9a-f]{32}$', bytes(1))).not.toContain('phantom');
  });

  it.each([
    ['^(a+)+$', 'forever'],
    ['^(a|a)*b$', 'forever'],
    ['^(a|ab)*c$', 'forever'],
    ['^([a-z]+)*x$', 'forever'],
    ['^([a-z0-9-]+[.a-z])*x$', 'forever'],
    ['^\\w*\\w*\\w*x$', 'forever'],
    ['^(a?){30}a{30}$', 'forever'],
    ['^a?a?a?a?a?b$', 'forever'],
    ['^(?:a|a)(?:b|b)(?:c|c)x$', 'forever'],
    ['^(?=a)b$', 'look-around'],
    ['^(?<n>a)$', 'look-around'],
    ['^(a)\\1$', 'only letter escapes'],
    ['^a+?$', 'lazy'],
    ['^a|b$', 'in a group'],
    ['^a', 'must begin with ^'],
    ['a$', 'must begin with ^'],
    ['^a\\$', 'must begin with ^'],
    ['^a$b$', 'has an unexpected $'],
    ['^[z-a]$', 'reversed range z-a'],
    ['^a{3,2}$', 'limits reversed'],
    ['^(a$', 'unmatched ('],
    ['^a)$', 'unmatched )'],
    ['^[a$', 'is incomplete'],
    ['^\u00e9$', 'ASCII'],
    [`^${'a'.repeat(300)}$`, 'longer'],
    ['^(?:(?:(?:){9999}){9999}){9999}px_[a-z]{24}$', 'repeats too often'],
    ['^px_[a-z]{24}(?:(?:a{0}){9999}){9999}$', 'repeats too often'],
    ['^(?:(?:a{9999}){9999}){9999}$', 'repeats too often'],
  ])('refuses %s', (source, sentence) => expect(() => compilePattern(source)).toThrow(sentence));

  it.each(['^ghp_secret$', '^[ab]{8}$'])('refuses to invent a phantom that could be a key: %s', (source) => {
    expect(() => phantomOfPattern(source, bytes(1))).toThrow('too few keys');
  });

  it('decides quickly on long hostile input', () => {
    const expression = compilePattern('^([a-z0-9-]+\\.)*googleapis\\.com$');
    expect(expression.test(`${'a-.'.repeat(80)}x`)).toBe(false);
    expect(expression.test(`${'a'.repeat(250)}!`)).toBe(false);
  });

  it('agrees with the expression on what it draws', () => {
    const node = fc.letrec<{ node: string; atom: string }>((tie) => ({
      atom: fc.constantFrom('a', '[b-f]', '\\d', '\\.', '[A-Z_]', '[^a-y]'),
      node: fc.oneof(
        { maxDepth: 3 },
        tie('atom'),
        fc
          .tuple(tie('node'), fc.constantFrom('', '{2}', '{1,3}', '?', '+', '*'))
          .map(([part, count]) => `(?:${part})${count}`),
        fc.tuple(tie('node'), tie('node')).map((parts) => parts.join('')),
        fc.tuple(tie('node'), tie('node')).map((parts) => `(?:${parts.join('|')})`),
      ),
    })).node;
    fc.assert(
      fc.property(node, fc.nat(), (body, seed) => {
        const source = `^[a-z0-9]{20}${body}$`;
        fc.pre(isAccepted(source));
        try {
          expect(phantomOfPattern(source, bytes(seed))).toMatch(new RegExp(source));
        } catch (error) {
          expect(String(error)).toContain('too long');
        }
      }),
    );
  });
});

describe('phantom', () => {
  it('of a provider without a pattern says what it is', () => {
    expect(phantomFor({ apiKey: undefined, phantom: undefined }, bytes(3))).toMatch(
      /^phantom-[A-Za-z0-9]{32}$/,
    );
  });

  it('of a definition with its own template follows that', () => {
    expect(phantomFor({ apiKey: undefined, phantom: 'tok_{random}' }, bytes(3))).toMatch(
      /^tok_[A-Za-z0-9]{24}$/,
    );
  });
});

function isAccepted(source: string): boolean {
  try {
    compilePattern(source);
    return true;
  } catch {
    return false;
  }
}
