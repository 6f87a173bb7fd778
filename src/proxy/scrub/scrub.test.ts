import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codingOf, compileNeedles, isTextual, type Needle, replaceAll, ScrubbedBody } from './index.ts';
import { Scrubber } from './scrubber.ts';

const needle = (text: string, replacement: string): Needle => ({
  bytes: Buffer.from(text),
  replacement: Buffer.from(replacement),
});

/** The chunks that come out for the chunks that go in, the flushed rest last. */
function scrubbed(needles: readonly Needle[], ...chunks: readonly string[]): readonly string[] {
  const scrubber = new Scrubber(needles);
  return [
    ...chunks.map((chunk) => scrubber.push(Buffer.from(chunk)).toString()),
    scrubber.flush().toString(),
  ];
}

describe('a stream', () => {
  const needles = [needle('sk-secret', 'PHANTOM')];

  test('without the secret passes as the very same bytes', () => {
    const chunk = Buffer.from('data: innocent\n\n');
    expect(new Scrubber(needles).push(chunk)).toBe(chunk);
  });

  test('has it replaced, as often as it comes', () => {
    expect(scrubbed(needles, 'a sk-secret b sk-secretsk-secret')).toEqual(['a PHANTOM b PHANTOMPHANTOM', '']);
  });

  test('has it replaced across chunks', () => {
    expect(scrubbed(needles, 'a sk-', 'sec', 'ret b')).toEqual(['a ', '', 'PHANTOM b', '']);
  });

  test('holds back only what may be its beginning, and lets it go when it is not', () => {
    expect(scrubbed(needles, 'data sk-se', 'rene')).toEqual(['data ', 'sk-serene', '']);
    expect(scrubbed(needles, 'ends in sk')).toEqual(['ends in ', 'sk']);
  });

  test('takes the longer of two that begin alike', () => {
    const both = [needle('sk-secret', 'short'), needle('sk-secret-long', 'long')];
    expect(scrubbed(both, 'sk-secret', '-long').join('')).toBe('long');
    expect(scrubbed(both, 'sk-secret', '-lone').join('')).toBe('short-lone');
  });

  test('cut anywhere comes out as it would in one piece', () => {
    const letters = fc.stringMatching(/^[ab-]{0,40}$/);
    const alike = [needle('ab-ab', '<1>'), needle('b-abb', '<2>'), needle('ab-abab', '<3>')];
    fc.assert(
      fc.property(fc.array(letters), (chunks) => {
        const whole = replaceAll(alike, Buffer.from(chunks.join(''))).toString();
        expect(scrubbed(alike, ...chunks).join('')).toBe(whole);
        expect(whole.includes('ab-ab')).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is looked for', () => {
  test('is the secret in every spelling, and the phantom in the same one', () => {
    const needles = compileNeedles([{ kind: 'header', name: 'A', prefix: '' }], 'sk/"secret"+', 'ph/"a"');
    const through = (text: string) => replaceAll(needles, Buffer.from(text)).toString();
    expect(through('sk/"secret"+')).toBe('ph/"a"');
    expect(through(encodeURIComponent('sk/"secret"+'))).toBe(encodeURIComponent('ph/"a"'));
    expect(through(JSON.stringify('sk/"secret"+'))).toBe(JSON.stringify('ph/"a"'));
    expect(through('sk\\/\\"secret\\"+')).toBe('ph\\/\\"a\\"');
  });

  test('is what basic makes of it, too', () => {
    const needles = compileNeedles(
      [{ kind: 'basic', username: 'u', secretAs: 'password' }],
      'sk-secret-1',
      'phantom-1',
    );
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    expect(replaceAll(needles, Buffer.from(`Basic ${base64('u:sk-secret-1')}`)).toString()).toBe(
      `Basic ${base64('u:phantom-1')}`,
    );
  });

  test('is nothing where the secret is so short that innocent text would suffer', () => {
    expect(compileNeedles([], 'abc', 'phantom')).toEqual([]);
  });
});

test('text is told from binary types', () => {
  for (const type of [
    'text/html',
    'text/event-stream',
    'application/json; charset=utf-8',
    'application/vnd.api+json',
    'application/problem+json',
    'application/xml',
    undefined,
  ]) {
    expect([type, isTextual(type)]).toEqual([type, true]);
  }
  for (const type of [
    'image/png',
    'application/octet-stream',
    'application/grpc+proto',
    'application/zip',
    'application/jsonsomething',
    'audio/mpeg',
  ]) {
    expect([type, isTextual(type)]).toEqual([type, false]);
  }
});

test('codings that cannot be undone are known as such', () => {
  expect([undefined, 'gzip', 'BR', 'x-gzip', 'zstd', 'gzip, br'].map(codingOf)).toEqual([
    'identity',
    'gzip',
    'br',
    'gzip',
    undefined,
    undefined,
  ]);
});

describe('a coded body', () => {
  const text = `before sk-secret after ${'x'.repeat(100_000)} sk-secret`;
  const codings = [
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
  ] as const;
  const run = (coding: (typeof codings)[number][0], bytes: Buffer, step: number) =>
    new Promise<{ readonly out: string; readonly whole: boolean }>((resolve) => {
      let out = '';
      const body = new ScrubbedBody([needle('sk-secret', 'P')], coding, {
        emit: (part) => {
          out += part.toString();
        },
        block: () => {},
        over: (whole) => resolve({ out, whole }),
      });
      for (let at = 0; at < bytes.length; at += step) body.push(bytes.subarray(at, at + step));
      body.finish();
    });
  for (const [coding, bytes] of codings) {
    test(`in ${coding} is decoded and scrubbed, however it is cut`, async () => {
      for (const step of [7, 1_000, 1_000_000]) {
        const { out, whole } = await run(coding, bytes, step);
        expect(out).toBe(text.replaceAll('sk-secret', 'P'));
        expect(whole).toBe(true);
      }
    });
  }

  test('that is broken is not taken for whole', async () => {
    expect((await run('gzip', gzipSync(text).subarray(0, 50), 10)).whole).toBe(false);
    expect((await run('br', Buffer.from('no brotli at all'), 10)).whole).toBe(false);
  });
});
