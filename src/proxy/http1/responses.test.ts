import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Transcript } from '../testing/test-transcript.ts';

const lines = (...parts: readonly string[]): string => `${parts.join('\r\n')}\r\n\r\n`;
const ok = (...fields: readonly string[]): string => lines('HTTP/1.1 200 OK', ...fields);
const request = lines('GET / HTTP/1.1', 'Host: a.test');
const requestWith = (method: string): string => lines(`${method} / HTTP/1.1`, 'Host: a.test');

interface Case {
  readonly name: string;
  readonly method?: string;
  readonly sent: string;
  /** What the client gets; what was sent, if left out. */
  readonly expected?: string;
  /** What becomes of the upstream's connection. */
  readonly upstream: 'release' | 'destroy';
  readonly closes?: boolean;
  /** The upstream ends its side after these bytes. */
  readonly ends?: boolean;
}

const passed: readonly Case[] = [
  { name: 'a body by length', sent: `${ok('Content-Length: 5')}hello`, upstream: 'release' },
  { name: 'a length of zero', sent: ok('Content-Length: 0'), upstream: 'release' },
  {
    name: 'a chunked body',
    sent: `${ok('Transfer-Encoding: chunked')}5\r\nhello\r\n0\r\n\r\n`,
    upstream: 'release',
  },
  {
    name: 'chunk extensions',
    sent: `${ok('Transfer-Encoding: chunked')}5;x="y;z"\r\nhello\r\n0\r\n\r\n`,
    upstream: 'release',
  },
  {
    name: 'trailers',
    sent: `${ok('Transfer-Encoding: chunked', 'Trailer: X-Sum')}0\r\nX-Sum: 1\r\n\r\n`,
    upstream: 'release',
  },
  {
    name: 'a body until close',
    sent: `${ok('X-A: 1')}hello`,
    expected: `${ok('X-A: 1', 'Connection: close')}hello`,
    upstream: 'destroy',
    closes: true,
    ends: true,
  },
  {
    name: 'an empty body until close',
    sent: ok('X-A: 1'),
    expected: ok('X-A: 1', 'Connection: close'),
    upstream: 'destroy',
    closes: true,
    ends: true,
  },
  { name: '204 without a body', sent: lines('HTTP/1.1 204 No Content', 'X-A: 1'), upstream: 'release' },
  {
    name: '304 with the length of what it stands for',
    sent: lines('HTTP/1.1 304 Not Modified', 'Content-Length: 1000'),
    upstream: 'release',
  },
  {
    name: '304 with Transfer-Encoding',
    sent: lines('HTTP/1.1 304 Not Modified', 'Transfer-Encoding: chunked'),
    upstream: 'release',
  },
  {
    name: 'a response to HEAD with a length',
    method: 'HEAD',
    sent: ok('Content-Length: 1000'),
    upstream: 'release',
  },
  {
    name: 'a response to HEAD that would be chunked',
    method: 'HEAD',
    sent: ok('Transfer-Encoding: chunked'),
    upstream: 'release',
  },
  { name: 'a response to HEAD without a length', method: 'HEAD', sent: ok('X-A: 1'), upstream: 'release' },
  { name: 'no reason phrase', sent: lines('HTTP/1.1 200 ', 'Content-Length: 0'), upstream: 'release' },
  {
    name: 'no space before a missing reason phrase',
    sent: lines('HTTP/1.1 200', 'Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'a reason phrase with obs-text and tabs',
    sent: lines('HTTP/1.1 200 G\xfct\tso', 'Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'a status of its own',
    sent: `${lines('HTTP/1.1 799 Whatever', 'Content-Length: 2')}hi`,
    upstream: 'release',
  },
  {
    name: 'two cookies in their order',
    sent: ok('Set-Cookie: a=1', 'Set-Cookie: b=2', 'Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Connection: keep-alive taken out',
    sent: ok('Connection: keep-alive', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Keep-Alive taken out',
    sent: ok('Keep-Alive: timeout=5', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'what Connection names taken out',
    sent: ok('X-Hop: 1', 'Connection: x-hop', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Proxy-Authenticate taken out',
    sent: ok('Proxy-Authenticate: Basic', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Proxy-Connection taken out',
    sent: ok('Proxy-Connection: close', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Upgrade taken out where nothing is switched',
    sent: ok('Upgrade: h2,h2c', 'Connection: Upgrade', 'Content-Length: 0'),
    expected: ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'Connection: close, after which only the client goes on',
    sent: `${ok('Connection: close', 'Content-Length: 2')}hi`,
    expected: `${ok('Content-Length: 2')}hi`,
    upstream: 'destroy',
  },
  {
    name: 'HTTP/1.0 as our own version',
    sent: `${lines('HTTP/1.0 200 OK', 'Content-Length: 2')}hi`,
    expected: `${ok('Content-Length: 2')}hi`,
    upstream: 'destroy',
  },
  {
    name: 'HTTP/1.0 until close',
    sent: `${lines('HTTP/1.0 200 OK', 'X-A: 1')}hi`,
    expected: `${ok('X-A: 1', 'Connection: close')}hi`,
    upstream: 'destroy',
    closes: true,
    ends: true,
  },
  {
    name: '100 and then the response',
    sent: lines('HTTP/1.1 100 Continue') + ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: '103 and 102 and then the response',
    sent:
      lines('HTTP/1.1 103 Early Hints', 'Link: </a>') +
      lines('HTTP/1.1 102 Processing') +
      ok('Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: '426 with the Upgrade it asks for',
    sent: lines(
      'HTTP/1.1 426 Upgrade Required',
      'Connection: upgrade',
      'Upgrade: HTTP/3',
      'Content-Length: 0',
    ),
    expected: lines(
      'HTTP/1.1 426 Upgrade Required',
      'Upgrade: HTTP/3',
      'Content-Length: 0',
      'Connection: Upgrade',
    ),
    upstream: 'release',
  },
  {
    name: 'a head of 60,000 bytes',
    sent: ok(`X-Long: ${'v'.repeat(60_000)}`, 'Content-Length: 0'),
    upstream: 'release',
  },
  {
    name: 'bytes after the body, which reach nobody',
    sent: `${ok('Content-Length: 2')}hiHTTP/1.1 200 OK\r\n`,
    expected: `${ok('Content-Length: 2')}hi`,
    upstream: 'destroy',
  },
  {
    name: 'bytes after the last chunk, which reach nobody',
    sent: `${ok('Transfer-Encoding: chunked')}0\r\n\r\nx`,
    expected: `${ok('Transfer-Encoding: chunked')}0\r\n\r\n`,
    upstream: 'destroy',
  },
  {
    name: 'a body to HEAD, which reaches nobody',
    method: 'HEAD',
    sent: `${ok('Content-Length: 2')}hi`,
    expected: ok('Content-Length: 2'),
    upstream: 'destroy',
  },
  {
    name: 'a body to 204, which reaches nobody',
    sent: `${lines('HTTP/1.1 204 No Content', 'Content-Length: 2')}hi`,
    expected: lines('HTTP/1.1 204 No Content', 'Content-Length: 2'),
    upstream: 'destroy',
  },
];

/** The client hears that the response was malformed, nothing of it, and the connection is not used again. */
const refused: readonly (readonly [name: string, sent: string])[] = [
  ['Content-Length with Transfer-Encoding', ok('Content-Length: 5', 'Transfer-Encoding: chunked')],
  ['differing lengths', ok('Content-Length: 5', 'Content-Length: 6')],
  ['a list of lengths', ok('Content-Length: 5, 5')],
  ['a length that is no number', ok('Content-Length: five')],
  ['Transfer-Encoding: gzip', ok('Transfer-Encoding: gzip')],
  ['Transfer-Encoding: gzip, chunked', ok('Transfer-Encoding: gzip, chunked')],
  ['HTTP/1.0 with Transfer-Encoding', lines('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')],
  ['a folded line', ok('X-A: 1\r\n 2')],
  ['space before a colon', ok('X-A : 1')],
  ['bare LF', 'HTTP/1.1 200 OK\nX-A: 1\n\n'],
  ['bare LF in the fields', 'HTTP/1.1 200 OK\r\nX-A: 1\n\r\n'],
  ['bare CR in a value', ok('X-A: 1\rX-B: 2')],
  ['NUL in a value', ok('X-A: \0')],
  ['no colon', ok('X-A')],
  ['an invalid name', ok('X(A): 1')],
  ['HTTP/2 in the status line', lines('HTTP/2 200 OK')],
  ['HTTP/1.2', lines('HTTP/1.2 200 OK')],
  ['lower-case http', lines('http/1.1 200 OK')],
  ['a status of two digits', lines('HTTP/1.1 20 OK')],
  ['a status of four digits', lines('HTTP/1.1 2000 OK')],
  ['a status of letters', lines('HTTP/1.1 abc OK')],
  ['a status that begins with zero', lines('HTTP/1.1 099 OK')],
  ['two spaces before the status', lines('HTTP/1.1  200 OK')],
  ['a control character in the reason', lines('HTTP/1.1 200 O\x01K')],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['an HTTP/0.9 body', '<html>'],
  ['an empty line first', `\r\n${ok('Content-Length: 0')}`],
  [
    '101 to a request that asked for no upgrade',
    lines('HTTP/1.1 101 Switching Protocols', 'Upgrade: x', 'Connection: upgrade'),
  ],
  ['Connection naming Content-Length', ok('Connection: content-length', 'Content-Length: 0')],
  ['257 fields', ok(...Array.from({ length: 257 }, (_, index) => `X-${index}: 1`))],
  ['an endless head', `HTTP/1.1 200 OK\r\nX-Long: ${'v'.repeat(70_000)}`],
];

/** The client's connection is cut so that what it got cannot look complete. */
const truncated: readonly (readonly [name: string, sent: string])[] = [
  ['a body shorter than its length', `${ok('Content-Length: 5')}hell`],
  ['a chunked body without its last chunk', `${ok('Transfer-Encoding: chunked')}5\r\nhello\r\n`],
  ['a chunk that is cut off', `${ok('Transfer-Encoding: chunked')}5\r\nhel`],
  ['trailers without their end', `${ok('Transfer-Encoding: chunked')}0\r\n`],
];

function play(
  { method = 'GET', sent, ends = false }: Case,
  each: (text: string) => readonly string[],
): Transcript {
  const transcript = new Transcript().client(requestWith(method));
  for (const part of each(sent)) transcript.upstream(part);
  if (ends) transcript.machine.upstreamEnd(true);
  return transcript;
}

describe('passes on', () => {
  for (const entry of passed) {
    it(entry.name, () => {
      const transcript = play(entry, (text) => [text]);
      expect(transcript.sent('client')).toBe(entry.expected ?? entry.sent);
      // How long it is kept is said after it.
      const freed = transcript.actions.filter((action) => /^(release|destroy) upstream/.test(action));
      expect(freed.map((action) => action.split(' ')[0])).toEqual([entry.upstream]);
      expect(transcript.actions.includes('end client')).toBe(entry.closes ?? false);
    });
  }

  it('every one of them also when it arrives byte by byte', () => {
    for (const entry of passed) {
      if (entry.sent.length > 10_000) continue;
      const transcript = play(entry, (text) => text.split(''));
      expect([entry.name, transcript.sent('client')]).toEqual([entry.name, entry.expected ?? entry.sent]);
    }
  });

  it('every one of them cut in two anywhere', () => {
    const samples = passed.filter(({ sent }) => sent.length < 1_000);
    fc.assert(
      fc.property(fc.nat(samples.length - 1), fc.nat(1_000), (index, at) => {
        const entry = samples[index] as Case;
        const transcript = play(entry, (text) =>
          [text.slice(0, at), text.slice(at)].filter((part) => part !== ''),
        );
        expect(transcript.sent('client')).toBe(entry.expected ?? entry.sent);
      }),
    );
  });
});

describe('replies 502 instead of', () => {
  for (const [name, sent] of refused) {
    it(name, () => {
      for (const parts of [[sent], sent.length > 10_000 ? [sent] : sent.split('')]) {
        const transcript = new Transcript().client(request);
        for (const part of parts) transcript.upstream(part);
        expect(transcript.sent('client')).toBe('<malformed-response>');
        expect(transcript.actions).toContain('destroy upstream');
        expect(transcript.actions).not.toContain('release upstream');
      }
    });
  }
});

describe('cuts the client off after', () => {
  for (const [name, sent] of truncated) {
    it(name, () => {
      const transcript = new Transcript().client(request).upstream(sent);
      transcript.machine.upstreamEnd(true);
      expect(transcript.sent('client')).toBe(sent);
      expect(transcript.actions.at(-1)).toBe('reset client');
      expect(transcript.actions).not.toContain('end client');
      expect(transcript.actions).not.toContain('release upstream');
    });
  }

  it('a chunked body that breaks its framing, without the broken bytes', () => {
    const transcript = new Transcript()
      .client(request)
      .upstream(`${ok('Transfer-Encoding: chunked')}2\r\nhi\r\n`)
      .upstream('zz\r\n');
    expect(transcript.sent('client')).toBe(`${ok('Transfer-Encoding: chunked')}2\r\nhi\r\n`);
    expect(transcript.actions.at(-1)).toBe('reset client');
  });

  it('a body until close that ends in a reset', () => {
    const transcript = new Transcript().client(request).upstream(`${ok('X-A: 1')}hel`);
    transcript.machine.upstreamEnd(false);
    expect(transcript.actions.at(-1)).toBe('reset client');
  });
});
