import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadBundled } from '../bundled.ts';
import { parseProvider } from '../parse/index.ts';
import type { Provider } from '../provider.ts';
import { couldBePhantom, kindOfSecret, phantomOf, phantomOfPattern } from './index.ts';

const providers = new Map(
  (await loadBundled()).map((document) => {
    const provider = parseProvider(document, 'bundled');
    return [provider.name, provider];
  }),
);
const unknown: Pick<Provider, 'apiKey' | 'inject' | 'phantom'> = {
  apiKey: undefined,
  inject: [],
  phantom: undefined,
};
const definitionOf = (name: string) => providers.get(name) ?? unknown;

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const base62 = letters + digits;
const hex = '0123456789abcdef';
const draw = (length: number, alphabet = base62): string =>
  Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object = {}): string =>
  `${part({ alg: 'RS256', typ: 'JWT', kid: draw(20) })}.${part({ iss: 'https://id.example', sub: draw(12), exp: 1_800_000_000, ...claims })}.${draw(342, `${base62}-_`)}`;

/** Provider, a secret of it, and what every phantom of that looks like. */
const shapes: readonly (readonly [string, () => string, RegExp])[] = [
  ['github', () => `github_pat_11${draw(20)}_${draw(59)}`, /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/],
  ['github', () => `ghp_${draw(36)}`, /^ghp_[A-Za-z0-9]{36}$/],
  ['github', () => `gho_${draw(36)}`, /^gho_[A-Za-z0-9]{36}$/],
  ['anthropic', () => `sk-ant-oat01-${draw(95, `${base62}-_`)}`, /^sk-ant-oat01-[A-Za-z0-9]{95}$/],
  ['anthropic', () => `sk-ant-api03-${draw(95, `${base62}-_`)}`, /^sk-ant-api03-[A-Za-z0-9]{95}$/],
  ['openai', () => `sk-${draw(48)}`, /^sk-[A-Za-z0-9]{48}$/],
  ['openai', () => `sk-proj-${draw(156, `${base62}-_`)}`, /^sk-proj-[A-Za-z0-9]{156}$/],
  [
    'slack',
    () => `xoxb-${draw(12, digits)}-${draw(13, digits)}-${draw(24)}`,
    /^xoxb-\d{12}-\d{13}-[A-Za-z0-9]{24}$/,
  ],
  ['slack', () => `xoxe.xoxp-1-${draw(140)}`, /^xoxe\.xoxp-1-[A-Za-z0-9]{140}$/],
  ['google', () => `ya29.${draw(200, `${base62}-_`)}`, /^ya29\.[A-Za-z0-9]{200}$/],
  [
    'hubspot',
    () => 'pat-na1-12345678-9abc-def0-1234-56789abcdef0',
    /^pat-na1-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  ],
  ['datadog', () => draw(32, hex), /^[0-9a-f]{32}$/],
  ['mailchimp', () => `${draw(32, hex)}-us19`, /^[0-9a-f]{32}-us19$/],
  ['supabase', () => `sbp_a1${draw(38, hex)}`, /^sbp_[0-9a-f]{40}$/],
  ['twilio', () => `AC${draw(32, hex)}:${draw(32)}`, /^AC[0-9a-f]{32}:[A-Za-z0-9]{32}$/],
  ['linear', () => `lin_api_${draw(37)}1a2b3c`, /^lin_api_[A-Za-z0-9]{48}$/],
  ['linear', () => 'hunter2', /^[a-z0-9]{20,64}$/],
  ['linear', () => `${draw(3000)}`, /^[A-Za-z0-9]{512}$/],
];

const longestShared = (one: string, other: string): number => {
  let longest = 0;
  for (let start = 0; start < one.length; start += 1)
    while (other.includes(one.slice(start, start + longest + 1)) && start + longest < one.length)
      longest += 1;
  return longest;
};

describe('a phantom', () => {
  it.each(shapes)('of %s has the shape of its secret', (name, secretOf, shape) => {
    for (let round = 0; round < 40; round += 1) {
      const provider = definitionOf(name);
      const secret = secretOf();
      const phantom = phantomOf(provider, secret, randomBytes);
      expect(phantom).toMatch(shape);
      expect(phantom).toMatch(/^[A-Za-z0-9_.:@+=-]{1,512}$/);
      expect(phantom).not.toBe(secret);
      expect(provider.apiKey?.keyPattern?.test(phantom)).toBe(provider.apiKey?.keyPattern?.test(secret));
      if (!/\[0-9a-f\]\{(?:12|32|40)\}(?:-us19)?\$/.test(shape.source))
        expect(couldBePhantom(provider, phantom)).toBe(true);
    }
  });

  it('follows the key, not the first alternative of the pattern', () => {
    const phantom = phantomOf(definitionOf('github'), `github_pat_${draw(82)}`, randomBytes);
    expect(phantom).toMatch(/^github_pat_/);
    expect(phantom).not.toMatch(/^gh[pousr]_/);
  });

  it('goes where its secret goes, among several kinds of key', () => {
    const { inject } = definitionOf('anthropic');
    const kindOf = (text: string) =>
      inject.map(({ shapes: kinds = [] }) => kinds.findIndex(({ pattern }) => pattern.test(text)));
    for (const secret of [`sk-ant-oat01-${draw(95)}`, `sk-ant-api03-${draw(95)}`])
      expect(kindOf(phantomOf(definitionOf('anthropic'), secret, randomBytes))).toEqual(kindOf(secret));
  });

  it('of a signed token can be read like one, and no key has signed it', () => {
    const secret = jwt();
    for (let round = 0; round < 20; round += 1) {
      const phantom = phantomOf(unknown, secret, randomBytes);
      const [header = '', claims = ''] = phantom.split('.');
      expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({ alg: 'none' });
      expect(JSON.parse(Buffer.from(claims, 'base64url').toString()).exp).toBeGreaterThan(4e9);
      expect(phantom).toContain('.phantom');
      expect(phantom.length).toBeGreaterThan(400);
      expect(phantom.length).toBeLessThanOrEqual(512);
      expect(longestShared(secret.slice(3), phantom.slice(3))).toBeLessThanOrEqual(5);
    }
  });

  it('of a user and a password is a pair where the definition wants one', () => {
    const pair: Pick<Provider, 'apiKey' | 'inject' | 'phantom'> = {
      ...unknown,
      inject: [
        { hosts: [], scrub: true, placements: [{ kind: 'basic', username: '', secretAs: 'pair' }] },
      ] as unknown as Provider['inject'],
    };
    expect(phantomOf(pair, 'ann:correct horse battery', randomBytes)).toMatch(/^[a-z0-9]+:[a-z0-9]+$/i);
    expect(phantomOf(unknown, 'ann:correct-horse-battery', randomBytes)).not.toContain(':');
  });

  it('takes nothing of a pass phrase for a public prefix', () => {
    for (const secret of [
      'correct-horse-battery-staple',
      'summer_of_love_2024_and_2025',
      'my-dog-Rex-is-12-years-old',
    ]) {
      const phantom = phantomOf(unknown, secret, randomBytes);
      expect(longestShared(secret, phantom)).toBeLessThan(6);
      expect(phantom.slice(0, 4)).not.toBe(secret.slice(0, 4));
    }
  });

  it('does not tell the exact length of a short secret', () => {
    const lengths = new Set(
      [13, 14, 15].map((length) => phantomOf(unknown, draw(length), randomBytes).length),
    );
    expect(lengths.size).toBe(1);
  });

  it('has at least 64 random bits, and 128 where there is room', () => {
    const distinct = new Set(Array.from({ length: 2000 }, () => phantomOf(unknown, 'abc', randomBytes)));
    expect(distinct.size).toBe(2000);
    // A secret of one letter over and over leaves the smallest alphabet.
    expect(phantomOf(unknown, 'a', randomBytes).length).toBeGreaterThanOrEqual(7 + 128 / Math.log2(26));
    expect(() => phantomOfPattern('^[a-z]{12}$', randomBytes)).toThrow('too few keys');
    expect(phantomOfPattern('^[a-z]{15}$', randomBytes)).not.toContain('phantom');
  });

  it('of any bundled definition repeats no six characters of its key', () => {
    const keyed = [...providers.values()].filter(({ apiKey }) => apiKey?.keyPattern !== undefined);
    fc.assert(
      fc.property(fc.constantFrom(...keyed), fc.infiniteStream(fc.nat(255)), (provider, stream) => {
        const bytes = (size: number) => Uint8Array.from({ length: size }, () => stream.next().value);
        const source = provider.apiKey?.keyPattern?.source ?? '';
        const secret = phantomOfPattern(source, bytes).replace('phantom', 'motnahp');
        const phantom = phantomOf(provider, secret, randomBytes);
        expect(phantom).toMatch(new RegExp(source));
        const prefix = /^(?:[A-Za-z]+[0-9]*[_.-])*/.exec(secret)?.[0] ?? '';
        expect(longestShared(secret.slice(prefix.length), phantom)).toBeLessThan(6);
      }),
      { numRuns: 400 },
    );
  });

  it('of any text is harmless, bounded and unlike it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 900, unit: 'grapheme-ascii' }), (secret) => {
        const phantom = phantomOf(unknown, secret, randomBytes);
        expect(phantom).toMatch(/^[A-Za-z0-9_.:@+=-]{20,512}$/);
        const prefix = kindOfSecret(unknown, secret).split(' ').at(-1) ?? '';
        expect(longestShared(secret.slice(prefix.length), phantom.slice(prefix.length))).toBeLessThan(6);
      }),
      { numRuns: 400 },
    );
  });
});

describe('the checksum of a real token', () => {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
    return value >>> 0;
  });
  const checksum = (text: string): string => {
    let sum = 0xffffffff;
    for (const byte of Buffer.from(text)) sum = (table[(sum ^ byte) & 0xff] ?? 0) ^ (sum >>> 8);
    let value = (sum ^ 0xffffffff) >>> 0;
    let encoded = '';
    for (; encoded.length < 6; value = Math.floor(value / 62))
      encoded = (digits + letters).charAt(value % 62) + encoded;
    return encoded;
  };

  it('is that of GitHub’s and npm’s tokens, here', () => {
    // The check value of the algorithm.
    let value = 0;
    for (const char of checksum('123456789')) value = value * 62 + (digits + letters).indexOf(char);
    expect(value).toBe(0xcbf43926);
  });

  it.each([
    ['github', 'ghp_', 36],
    ['npm', 'npm_', 36],
  ])('is not in any phantom of %s', (name, prefix, length) => {
    const provider = definitionOf(name);
    for (let round = 0; round < 200; round += 1) {
      const body = phantomOf(provider, prefix + draw(length), randomBytes).slice(prefix.length);
      expect(body.slice(-6)).not.toBe(checksum(body.slice(0, -6)));
    }
  });

  it('makes another phantom where chance would bring a valid one', () => {
    const start = `phantom${'A'.repeat(23)}`;
    const alphabet = letters + digits;
    const valid = Array.from(checksum(start), (char) => alphabet.indexOf(char));
    const drawn = [...Array.from({ length: 30 }, () => 0), ...valid];
    const bytes = (size: number) =>
      Uint8Array.from({ length: size }, () => drawn.shift() ?? randomBytes(1)[0] ?? 0);
    const phantom = phantomOf(definitionOf('github'), `ghp_${draw(36)}9b`.slice(0, 40), bytes);
    expect(drawn).toEqual([]);
    expect(phantom.slice(4, 34)).not.toBe(start);
    const body = phantom.slice(4);
    expect(body.slice(-6)).not.toBe(checksum(body.slice(0, -6)));
  });
});

describe('the kind of a secret', () => {
  const kind = (name: string, secret: string) => kindOfSecret(definitionOf(name), secret);

  it('stays when a key is rotated', () => {
    for (const [name, secretOf] of shapes) expect(kind(name, secretOf())).toBe(kind(name, secretOf()));
    expect(kind('linear', jwt())).toBe(kind('linear', jwt({ more: draw(40) })));
  });

  it('changes with a key of another kind', () => {
    expect(kind('github', `ghp_${draw(36)}`)).not.toBe(kind('github', `github_pat_${draw(82)}`));
    expect(kind('openai', `sk-${draw(48)}`)).not.toBe(kind('openai', `sk-proj-${draw(156)}`));
    expect(kind('linear', jwt())).not.toBe(kind('linear', `lin_api_${draw(40)}`));
  });
});
