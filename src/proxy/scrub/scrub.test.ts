import * as zlib from 'node:zlib';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codingsOf, decodedAtOnce } from '../coding/index.ts';
import { zstd } from '../coding/zstd.ts';
import { type Needle, Needles } from '../needles/index.ts';
import { compileNeedles, isTextual, isTextualAt, mayHideText, ScrubbedBody, unreadable } from './index.ts';
import { Scrubber } from './scrubber.ts';

const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync: (text: string) => Buffer };

const needle = (text: string, replacement: string): Needle => ({
  bytes: Buffer.from(text),
  replacement: Buffer.from(replacement),
});

/** The chunks that come out for the chunks that go in, the flushed rest last. */
function scrubbed(needles: readonly Needle[], ...chunks: readonly string[]): readonly string[] {
  const scrubber = new Scrubber(() => new Needles(needles));
  return [
    ...chunks.map((chunk) => scrubber.push(Buffer.from(chunk)).toString()),
    scrubber.flush().toString(),
  ];
}

/** Few letters, so that needles overlap, repeat, and begin alike. */
const letters = fc.stringMatching(/^[ab]{0,30}$/);
const someNeedles = fc
  .uniqueArray(fc.stringMatching(/^[ab]{2,9}$/), { minLength: 1, maxLength: 5 })
  .map((texts) => texts.map((text, index) => needle(text, `<${index}>`)));

describe('a stream', () => {
  const needles = [needle('sk-secret', 'PHANTOM')];

  it('without the secret passes as the very same bytes', () => {
    const chunk = Buffer.from('data: innocent\n\n');
    expect(new Scrubber(() => new Needles(needles)).push(chunk)).toBe(chunk);
  });

  it('has it replaced, as often as it comes', () => {
    expect(scrubbed(needles, 'a sk-secret b sk-secretsk-secret')).toEqual(['a PHANTOM b PHANTOMPHANTOM', '']);
  });

  it('has it replaced across chunks', () => {
    expect(scrubbed(needles, 'a sk-', 'sec', 'ret b')).toEqual(['a ', '', 'PHANTOM b', '']);
  });

  it('holds back only what may be its beginning, and lets it go when it is not', () => {
    expect(scrubbed(needles, 'data sk-se', 'rene')).toEqual(['data ', 'sk-serene', '']);
    expect(scrubbed(needles, 'ends in sk')).toEqual(['ends in ', 'sk']);
  });

  it('takes the longer of two that begin alike', () => {
    const both = [needle('sk-secret', 'short'), needle('sk-secret-long', 'long')];
    expect(scrubbed(both, 'sk-secret', '-long').join('')).toBe('long');
    expect(scrubbed(both, 'sk-secret', '-lone').join('')).toBe('short-lone');
  });

  it('cut anywhere comes out as it would in one piece, whatever overlaps', () => {
    fc.assert(
      fc.property(someNeedles, fc.array(letters), (some, chunks) => {
        const whole = new Needles(some).replaceIn(Buffer.from(chunks.join(''))).toString();
        expect(scrubbed(some, ...chunks).join('')).toBe(whole);
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes a longer one that is still coming before a shorter one inside it', () => {
    const inside = [needle('xx-abcd-yy', '<long>'), needle('abcd', '<short>')];
    expect(scrubbed(inside, 'xx-abcd', '-yy').join('')).toBe('<long>');
    expect(scrubbed(inside, 'xx-abcd', '-zz').join('')).toBe('xx-<short>-zz');
  });

  it('is never held back for longer than a needle', () => {
    fc.assert(
      fc.property(someNeedles, fc.array(letters), (some, chunks) => {
        const scrubber = new Scrubber(
          () => new Needles(some.map(({ bytes }) => ({ bytes, replacement: bytes }))),
        );
        const longest = Math.max(...some.map(({ bytes }) => bytes.length));
        let held = 0;
        for (const chunk of chunks) {
          held += chunk.length - scrubber.push(Buffer.from(chunk)).length;
          expect(held).toBeLessThan(longest);
        }
        expect(scrubber.flush().length).toBe(held);
      }),
    );
  });
});

describe('needles', () => {
  it('are found where a plain search finds the first of them, and the longest is taken', () => {
    fc.assert(
      fc.property(someNeedles, letters, letters, (some, text, before) => {
        const needles = new Needles(some);
        const bytes = Buffer.from(`${before}${text}${before}`);
        const [from, to] = [before.length, before.length + text.length];
        const found = some.map((one) => text.indexOf(one.bytes.toString())).filter((at) => at !== -1);
        const first = found.length === 0 ? -1 : from + Math.min(...found);
        expect(needles.indexIn(bytes, from, to)).toBe(first);
        const there = some.filter((one) => text.startsWith(one.bytes.toString(), first - from));
        const longest = Math.max(...there.map((one) => one.bytes.length));
        if (first !== -1) expect(needles.longestAt(bytes, first, to)?.bytes.length).toBe(longest);
      }),
      { numRuns: 3_000 },
    );
  });

  it('that differ far from where they begin are distinguished, in one piece and cut anywhere', () => {
    const far = 'b'.repeat(70);
    const some = fc.uniqueArray(fc.stringMatching(/^[ab]{1,3}$/), { minLength: 1, maxLength: 4 });
    const text = fc
      .array(fc.oneof(fc.constant(far), fc.stringMatching(/^[ab]{0,4}$/)), { maxLength: 8 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(some, text, fc.integer({ min: 1, max: 90 }), (ends, all, step) => {
        const needles = ends.map((end, index) => needle(far + end, `<${index}>`));
        const longestFirst = ends.toSorted((a, b) => b.length - a.length).map((end) => far + end);
        const wanted = all.replace(
          new RegExp(longestFirst.join('|'), 'g'),
          (found) => `<${ends.indexOf(found.slice(far.length))}>`,
        );
        const chunks = all.match(new RegExp(`.{1,${step}}`, 'g')) ?? [];
        expect(scrubbed(needles, ...chunks).join('')).toBe(wanted);
        expect(new Needles(needles).replaceIn(Buffer.from(all)).toString()).toBe(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  it('of any bytes and any length are found', () => {
    const anyNeedle = fc.uint8Array({ minLength: 2, maxLength: 700 });
    fc.assert(
      fc.property(anyNeedle, fc.uint8Array({ maxLength: 300 }), (bytes, around) => {
        const needles = new Needles([{ bytes: Buffer.from(bytes), replacement: Buffer.from('!') }]);
        const text = Buffer.concat([around, bytes, around]);
        expect(needles.indexIn(text, 0, text.length)).toBe(text.indexOf(bytes));
      }),
    );
  });
});

describe('what is looked for', () => {
  const bearer = [{ kind: 'header', name: 'A', prefix: '' }] as const;
  const through = (needles: Needles, text: string) => needles.replaceIn(Buffer.from(text)).toString();

  it.each([
    ['as it is', (text: string) => text],
    ['by encodeURIComponent', encodeURIComponent],
    ['in a form', (text: string) => new URLSearchParams({ k: text }).toString().slice(2)],
    ['in a URL, all reserved characters escaped', escapeReserved],
    [
      'in a URL, in lower case',
      (text: string) => escapeReserved(text).replace(/%../g, (at) => at.toLowerCase()),
    ],
    ['in a path', (text: string) => escapeReserved(text).replaceAll('%2F', '/')],
    ['in JSON', (text: string) => JSON.stringify(text)],
    ['in JSON by PHP', (text: string) => JSON.stringify(text).replaceAll('/', '\\/')],
    ['in JSON, the slash as a code', (text: string) => JSON.stringify(text).replaceAll('/', '\\u002f')],
    [
      'in JSON, the slash as a code in capitals',
      (text: string) => JSON.stringify(text).replaceAll('/', '\\u002F'),
    ],
    ['in JSON by Go', (text: string) => inJson(text, /[<>&]/g, false)],
    ['in JSON by Python', (text: string) => inJson(text, /[^\0-\x7f]/g, false)],
    ['in JSON by .NET', (text: string) => inJson(text, /[<>&'+`"]|[^\0-\x7f]/g, true)],
    ['in a page', (text: string) => inMarkup(text, '&#39;')],
    ['in a page, the apostrophe as a code', (text: string) => inMarkup(text, '&#x27;')],
    ['in XML', (text: string) => inMarkup(text, '&apos;')],
    ['in base64', (text: string) => Buffer.from(text).toString('base64')],
    ['in base64 for URLs', (text: string) => Buffer.from(text).toString('base64url')],
    [
      'in base64, in JSON by PHP',
      (text: string) => Buffer.from(text).toString('base64').replaceAll('/', '\\/'),
    ],
    ['in hexadecimal', (text: string) => Buffer.from(text).toString('hex')],
    ['in capital hexadecimal', (text: string) => Buffer.from(text).toString('hex').toUpperCase()],
    ['in base64, in a URL', (text: string) => encodeURIComponent(Buffer.from(text).toString('base64'))],
  ])('is the secret %s', (_, spell) => {
    const needles = compileNeedles(bearer, odd, 'ph-an-tom');
    expect(through(needles, `<${spell(odd)}>`)).not.toContain(spell(odd));
    expect(through(needles, `<${spell('innocent')}>`)).toBe(`<${spell('innocent')}>`);
  });

  it('is replaced by the phantom in the same spelling', () => {
    const needles = compileNeedles(bearer, 'sk/"secret"+', 'ph/"a"');
    for (const spell of [
      (text: string) => text,
      encodeURIComponent,
      (text: string) => JSON.stringify(text),
      (text: string) => JSON.stringify(text).replaceAll('/', '\\/'),
      (text: string) => Buffer.from(`${text}.`).toString('base64'),
    ]) {
      expect(through(needles, spell('sk/"secret"+'))).toContain(spell('ph/"a"').slice(0, -4));
    }
  });

  it('is what basic makes of it, whole', () => {
    const needles = compileNeedles(
      [{ kind: 'basic', username: 'u', secretAs: 'password' }],
      'sk-secret-1',
      'phantom-1',
    );
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    expect(through(needles, `Basic ${base64('u:sk-secret-1')}`)).toBe(`Basic ${base64('u:phantom-1')}`);
    for (const field of ['Basic ', ' Basic ', 'is: Basic ']) {
      const echo = through(needles, base64(`${field}${base64('u:sk-secret-1')}.`));
      expect(Buffer.from(echo, 'base64').toString()).toContain(base64('u:phantom-1').slice(0, -2));
      expect(echo).not.toContain(base64('sk-secret').slice(0, -1));
    }
  });

  it('is the password of a pair alone, and not its user name', () => {
    const pair = [{ kind: 'basic', username: '', secretAs: 'pair' }] as const;
    const needles = compileNeedles(pair, 'some-user:p4ssw0rd-1', 'key:phantom-1');
    expect(through(needles, 'some-user has p4ssw0rd-1')).toBe('some-user has phantom-1');
    expect(through(needles, Buffer.from('some-user:p4ssw0rd-1').toString('base64'))).toBe(
      Buffer.from('key:phantom-1').toString('base64'),
    );
    const one = compileNeedles(pair, 'some-user:p4ssw0rd-1', 'phantom-1');
    expect(through(one, 'some-user has p4ssw0rd-1')).toBe('some-user has phantom-1');
    expect(through(one, Buffer.from('some-user:p4ssw0rd-1').toString('base64'))).toBe(
      Buffer.from('some-user:phantom-1').toString('base64'),
    );
  });

  it('is the user name of a pair where there is no password', () => {
    const pair = [{ kind: 'basic', username: '', secretAs: 'pair' }] as const;
    const needles = compileNeedles(pair, 'sk_live_4242:', 'sk_phantom:');
    expect(through(needles, 'sk_live_4242')).toBe('sk_phantom');
  });

  it('is replaced anywhere in longer base64, and everything around it can be read', () => {
    const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_./+= "{}:'), maxLength: 20 });
    const key = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_./+='), minLength: 8, maxLength: 40 });
    fc.assert(
      fc.property(
        key,
        ascii,
        ascii,
        fc.constantFrom('base64', 'base64url'),
        (secret, before, after, coding) => {
          const sent = Buffer.from(`{"${before}${secret}${after}"}`).toString(coding as BufferEncoding);
          const shown = through(compileNeedles(bearer, secret, '+phantom!+'), sent);
          const read = Buffer.from(shown, coding as BufferEncoding).toString('latin1');
          expect(read).toContain('+phantom!+');
          expect(read).not.toContain(secret);
          expect(read.startsWith(`{"${before}`)).toBe(true);
          expect(read.endsWith(`${after}"}`)).toBe(true);
          expect(read).toMatch(/^[\x20-\x7e]*$/);
        },
      ),
      { numRuns: 500 },
    );
  });

  const wide: readonly (readonly [name: string, encode: (text: string) => Buffer])[] = [
    ['UTF-16, low byte first', (text) => Buffer.from(text, 'utf16le')],
    ['UTF-16, high byte first', (text) => Buffer.from(text, 'utf16le').swap16()],
    [
      'UTF-32, low byte first',
      (text) => Buffer.concat([...text].map((char) => Buffer.from([char.charCodeAt(0), 0, 0, 0]))),
    ],
    [
      'UTF-32, high byte first',
      (text) => Buffer.concat([...text].map((char) => Buffer.from([0, 0, 0, char.charCodeAt(0)]))),
    ],
  ];
  it.each(wide)('is the secret in %s, also escaped and in base64', (_, encode) => {
    const needles = compileNeedles(bearer, 'sk/secret-1', 'ph/antom-1');
    const spelled = (text: string) =>
      [text, encodeURIComponent(text), JSON.stringify(text).replaceAll('/', '\\/')].join(' ');
    const page = encode(`( ${spelled('sk/secret-1')} end`);
    expect(needles.replaceIn(page).equals(encode(`( ${spelled('ph/antom-1')} end`))).toBe(true);
    const innocent = encode('sk/secret-2 and more');
    expect(needles.replaceIn(innocent)).toBe(innocent);
    const base64 = encode(Buffer.from('user:sk/secret-1').toString('base64'));
    expect(needles.indexIn(base64, 0, base64.length)).toBeGreaterThan(-1);
  });

  it('is nothing where the secret is so short that innocent text would suffer', () => {
    expect(compileNeedles([], 'abc', 'phantom').isEmpty).toBe(true);
  });

  it('can be a secret that no encoder takes', () => {
    const needles = compileNeedles(
      [{ kind: 'basic', username: 'u', secretAs: 'password' }],
      'half-a-\ud83d',
      'ph',
    );
    expect(through(needles, 'half-a-\ufffd')).toBe('ph');
  });
});

const odd = 'k\'/+&<é>"!~ (*)=`x';

function escapeReserved(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (at) => `%${at.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function inJson(text: string, escaped: RegExp, upper: boolean): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', '"')
    .replace(upper ? escaped : new RegExp(`"|${escaped.source}`, 'g'), (at) => {
      if (at === '"' && !upper) return '\\"';
      const code = at.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upper ? code.toUpperCase() : code}`;
    });
}

function inMarkup(text: string, apostrophe: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", apostrophe);
}

it('text is distinguished from binary types', () => {
  const isTextualThere = (type = '') => isTextualAt(Buffer.from(`: ${type}x`), 2, 2 + type.length);
  for (const type of [
    'text/html',
    'text/event-stream',
    'application/json; charset=utf-8',
    'application/vnd.api+json',
    'application/problem+json',
    'application/xml',
    'application/x-amz-json-1.1',
    'APPLICATION/JSON',
    'application/x-www-form-urlencoded',
    'image/svg+xml',
    'multipart/mixed; boundary=batch_1',
    'application/x-sh',
    'application/x-httpd-php; charset=utf-8',
    'text',
    'no type at all',
    'application/vnd.github.raw; charset=utf-8',
    'application/jsonsomething',
    'application/x-made-up',
    'application/x-protobuf',
    'multipart/x-mixed-replace; boundary=frame',
    'multipart/related; boundary=b; type="image/png"',
    'audio/mpegurl',
    'video/vnd.made-up+xml',
    // It says that it is text.
    'application/octet-stream; charset=utf-8',
    // Clients differ in which of two they use.
    'image/png, text/html',
    'image/png; a=b, text/html',
    '/json',
    '',
    undefined,
  ]) {
    expect([type, isTextual(type), isTextualThere(type)]).toEqual([type, true, true]);
  }
  for (const type of [
    'image/png',
    'application/octet-stream',
    'application/grpc+proto',
    'application/zip',
    'application/vnd.oci.image.layer.v1.tar+gzip',
    'application/x-git-upload-pack-result',
    'application/octet-stream; a=b',
    ' IMAGE/PNG ',
    'font/woff2',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/grpc+json',
    'image/png; of=text/json',
    'audio/mpeg',
  ]) {
    expect([type, isTextual(type), isTextualThere(type)]).toEqual([type, false, false]);
  }
});

it('codings that cannot be decoded are known as such', () => {
  expect([undefined, 'identity', 'gzip', 'BR', 'x-gzip', 'made-up', 'gzip, br'].map(codingsOf)).toEqual([
    [],
    [],
    ['gzip'],
    ['br'],
    ['gzip'],
    undefined,
    ['br', 'gzip'],
  ]);
  expect(codingsOf('gzip, gzip, gzip, gzip')).toBeUndefined();
});

it.each(['none', 'None', 'utf-8', 'UTF8', ''])('a coding called %j is none, and hides nothing', (name) => {
  expect(codingsOf(name)).toEqual([]);
  expect(unreadable(200, { contentType: 'text/event-stream', contentEncoding: name })).toBeUndefined();
});

it('a response that cannot be searched is recognized', () => {
  const json = { contentType: 'application/json', contentEncoding: 'made-up' };
  expect(unreadable(200, json)).toContain('not asked for');
  expect(unreadable(206, { ...json, contentEncoding: 'gzip' })).toContain('part of a coded body');
  expect(unreadable(206, { ...json, contentEncoding: undefined })).toBeUndefined();
  expect(unreadable(200, { ...json, contentEncoding: 'gzip, br' })).toBeUndefined();
  expect(unreadable(200, { ...json, contentType: 'image/png' })).toBeUndefined();
});

it.each(['utf-7', 'x-UTF-7', 'UNICODE-1-1-UTF-7', 'ibm037', 'IBM-500', '"cp1047"', 'x-ebcdic-de', 'SCSU'])(
  'a body in %s is not let through, since its ASCII is spelled in other bytes',
  (charset) => {
    const contentType = `text/plain; charset=${charset}`;
    expect(unreadable(200, { contentType, contentEncoding: undefined })).toContain('charset');
    expect(mayHideText(Buffer.from(contentType), 0, contentType.length)).toBe(true);
  },
);

it('a body in a charset that leaves ASCII alone is searched', () => {
  for (const charset of [
    'utf-8',
    'UTF-8',
    'iso-8859-1',
    'windows-1252',
    'utf-16',
    'utf-32be',
    'cp1252',
    'ibm850',
    'shift_jis',
    'gb18030',
  ]) {
    const contentType = `text/plain; charset=${charset}`;
    expect(unreadable(200, { contentType, contentEncoding: undefined })).toBeUndefined();
    expect(isTextual(contentType)).toBe(true);
  }
  for (const type of ['application/json', 'text/html; charset=utf-8', 'text/html;charset=UTF-8']) {
    expect(mayHideText(Buffer.from(`${type}\r\n`), 0, type.length)).toBe(false);
  }
});

describe('a coded body', () => {
  const text = `before sk-secret after ${'x'.repeat(100_000)} sk-secret`;
  const codings: readonly (readonly [name: string, bytes: Buffer])[] = [
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['none', Buffer.from(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['br, identity, x-gzip', gzipSync(brotliCompressSync(text))],
  ];
  const run = (coding: string, bytes: Buffer, step: number) =>
    new Promise<{ readonly out: string; readonly isComplete: boolean }>((resolve) => {
      let out = '';
      const body = new ScrubbedBody(() => new Needles([needle('sk-secret', 'P')]), codingsOf(coding) ?? [], {
        emit: (part) => {
          out += part.toString();
          return true;
        },
        block: () => {},
        guard: (step) => step(),
        ended: (isComplete) => resolve({ out, isComplete }),
      });
      for (let at = 0; at < bytes.length; at += step) body.push(bytes.subarray(at, at + step));
      body.finish();
    });
  for (const [coding, bytes] of codings) {
    it(`in ${coding} is decoded and scrubbed, however it is cut`, async () => {
      for (const step of [7, 1_000, 1_000_000]) {
        const { out, isComplete } = await run(coding, bytes, step);
        expect(out).toBe(text.replaceAll('sk-secret', 'P'));
        expect(isComplete).toBe(true);
      }
    });
  }

  // Node decodes one of several frames that come together. On a Node without zstd nobody asks for it.
  if (zstd !== undefined) {
    it('in zstd that has more frames than are decoded does not look complete', async () => {
      const frames = Buffer.concat([zstdCompressSync('one '), zstdCompressSync('two sk-secret')]);
      expect(await run('zstd', frames, 1_000_000)).toEqual({ out: 'one ', isComplete: false });
      const again = brotliCompressSync(frames);
      expect(await run('zstd, br', again, 1_000_000)).toEqual({ out: 'one ', isComplete: false });
      expect(decodedAtOnce(['zstd'], frames)).toBeUndefined();
      expect(decodedAtOnce(['zstd'], zstdCompressSync('one '))?.toString()).toBe('one ');
      expect(await run('zstd', zstdCompressSync('one '), 3)).toEqual({ out: 'one ', isComplete: true });
    });
  }

  it('in deflate without zlib’s header is read all the same', async () => {
    expect(await run('deflate', deflateRawSync(text), 1_000)).toEqual({
      out: text.replaceAll('sk-secret', 'P'),
      isComplete: true,
    });
  });

  it('that expands to very much is not decoded ahead of a client that does not read', async () => {
    const zeros = 16 * 1024 * 1024;
    const bomb = brotliCompressSync(Buffer.alloc(zeros, 0x61));
    let emitted = 0;
    let reads = false;
    const over = new Promise<boolean>((resolve) => {
      const body = new ScrubbedBody(() => new Needles([needle('sk-secret', 'P')]), ['br'], {
        emit: (part) => {
          emitted += part.length;
          return reads;
        },
        block: () => {},
        guard: (step) => step(),
        ended: resolve,
      });
      body.push(bomb);
      body.finish();
      // Decoders work in threads of their own: that they stand still shows only over time.
      setTimeout(() => {
        expect(emitted).toBeLessThan(1024 * 1024);
        reads = true;
        body.resume();
      }, 100);
    });
    expect(await over).toBe(true);
    expect(emitted).toBe(zeros);
  });

  it.each([
    ['gzip', () => createGzip({ flush: constants.Z_SYNC_FLUSH })],
    ['br', () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
    ['gzip, br', () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
  ] as const)('of events in %s gives each of them on before the next one comes', async (coding, encoder) => {
    const outer = encoder();
    const inner = coding === 'gzip, br' ? createGzip({ flush: constants.Z_SYNC_FLUSH }) : outer;
    if (inner !== outer) inner.pipe(outer);
    let seen = '';
    let heard = (): void => {};
    const body = new ScrubbedBody(() => new Needles([needle('sk-secret', 'P')]), codingsOf(coding) ?? [], {
      emit(part) {
        seen += part.toString();
        heard();
        return true;
      },
      block: () => {},
      guard: (step) => step(),
      ended: () => {},
    });
    outer.on('data', (bytes: Buffer) => body.push(bytes));
    for (const event of ['data: 1\n\n', 'data: sk-secret\n\n', 'data: 3\n\n']) {
      const shown = event.replace('sk-secret', 'P');
      const arrived = new Promise<void>((resolve) => {
        heard = () => seen.endsWith(shown) && resolve();
      });
      inner.write(event);
      await arrived;
    }
    expect(seen).toBe('data: 1\n\ndata: P\n\ndata: 3\n\n');
    body.abort();
    for (const one of [inner, outer]) one.destroy();
  });

  it('reports what goes wrong in the background to its guard', async () => {
    const caught: unknown[] = [];
    await new Promise<void>((resolve) => {
      const body = new ScrubbedBody(() => new Needles([needle('sk-secret', 'P')]), ['gzip'], {
        emit: () => {
          throw new Error('no outlet');
        },
        block: () => {},
        guard(step) {
          try {
            step();
          } catch (error) {
            caught.push(error);
            body.abort();
            resolve();
          }
        },
        ended: () => caught.push('ended'),
      });
      body.push(gzipSync(text));
      body.finish();
    });
    expect(caught).toEqual([new Error('no outlet')]);
  });

  it('that is broken is not taken for complete', async () => {
    expect((await run('gzip', gzipSync(text).subarray(0, 50), 10)).isComplete).toBe(false);
    expect((await run('br', Buffer.from('no brotli at all'), 10)).isComplete).toBe(false);
  });
});
