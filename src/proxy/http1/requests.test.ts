import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Transcript } from '../testing/test-transcript.ts';
import { Fault, parseRequestHead } from './index.ts';

const lines = (...parts: readonly string[]): string => `${parts.join('\r\n')}\r\n\r\n`;
const get = (...fields: readonly string[]): string => lines('GET / HTTP/1.1', 'Host: a.test', ...fields);
const post = (fields: readonly string[], body: string): string =>
  lines('POST / HTTP/1.1', 'Host: a.test', ...fields) + body;

/** What the upstream gets: `same` is byte for byte what the client sent. */
const forwarded: readonly (readonly [name: string, sent: string, expected: 'same' | string])[] = [
  ['the smallest request', get(), 'same'],
  [
    'a path with every unreserved and reserved character',
    lines("GET /-._~:@!$&'()*+,;=%41/?/?:@-._~!$&'()*+,;= HTTP/1.1", 'Host: a.test'),
    'same',
  ],
  [
    'visible characters that URIs do not allow but clients send',
    lines('GET /?q={a|b}^`"<>[] HTTP/1.1', 'Host: a.test'),
    'same',
  ],
  ['OPTIONS *', lines('OPTIONS * HTTP/1.1', 'Host: a.test'), 'same'],
  ['a method of its own', lines('PURGE-ALL! / HTTP/1.1', 'Host: a.test'), 'same'],
  ['M-SEARCH and other registered methods', lines('M-SEARCH / HTTP/1.1', 'Host: a.test'), 'same'],
  ['a lower-case method as it is', lines('patch / HTTP/1.1', 'Host: a.test'), 'same'],
  ['an empty field value', get('X-Empty:'), 'same'],
  ['a value of white space only', get('X-Blank:   \t '), 'same'],
  ['no space after the colon', get('X-Tight:1'), 'same'],
  ['tabs around a value', get('X-Tabs:\t a\tb \t'), 'same'],
  ['obs-text in a value', get('X-Text: \xe4\xf6\xfc\xff\x80'), 'same'],
  ['colons in a value', get('X-Url: http://x:1/::'), 'same'],
  ['every character that a name may have', get("!#$%&'*+-.^_`|~0aZ: 1"), 'same'],
  ['repeated fields in their order', get('Accept: a', 'X-A: 1', 'Accept: b', 'accept: c'), 'same'],
  ['a name in odd case', get('x-OdD-cAsE: Value'), 'same'],
  ['one empty line before the request', `\r\n${get()}`, get()],
  ['Connection: keep-alive taken out', get('Connection: keep-alive', 'X-A: 1'), get('X-A: 1')],
  ['Connection: close taken out', get('X-A: 1', 'Connection: close'), get('X-A: 1')],
  [
    'what Connection names taken out',
    get('Connection: X-Hop, x-other', 'X-Hop: 1', 'X-Stay: 2', 'X-Other: 3'),
    get('X-Stay: 2'),
  ],
  [
    'what a second Connection line names taken out',
    get('Connection: X-One', 'Connection: X-Two', 'X-Two: 2', 'X-One: 1'),
    get(),
  ],
  ['an empty list element in Connection', get('Connection: , close ,,'), get()],
  ['Keep-Alive taken out', get('Keep-Alive: timeout=5'), get()],
  ['Proxy-Connection taken out', get('Proxy-Connection: keep-alive'), get()],
  ['Proxy-Authorization taken out', get('Proxy-Authorization: Basic cnVuOnNlY3JldA=='), get()],
  ['Proxy-Authenticate taken out', get('Proxy-Authenticate: Basic'), get()],
  [
    'HTTP2-Settings and h2c taken out',
    get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAM'),
    get(),
  ],
  ['Upgrade without Connection: upgrade taken out', get('Upgrade: websocket'), get()],
  [
    'a WebSocket handshake',
    get('Connection: keep-alive, Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'),
    get('Sec-WebSocket-Key: x', 'Connection: Upgrade', 'Upgrade: websocket'),
  ],
  [
    'an upgrade of another kind',
    get('Connection: Upgrade', 'Upgrade: tcp'),
    get('Connection: Upgrade', 'Upgrade: tcp'),
  ],
  [
    'TE: trailers, the one coding that we can promise',
    get('Connection: TE', 'TE: trailers, deflate;q=0.5'),
    get('Connection: TE', 'TE: trailers'),
  ],
  ['TE: gzip taken out', get('TE: gzip'), get()],
  ['Expect: 100-continue', post(['Expect: 100-continue', 'Content-Length: 2'], 'hi'), 'same'],
  ['Trailer', post(['Trailer: X-Sum', 'Transfer-Encoding: chunked'], '0\r\nX-Sum: 1\r\n\r\n'), 'same'],
  ['a body by length', post(['Content-Length: 5'], 'hello'), 'same'],
  ['a length with leading zeros', post(['Content-Length: 005'], 'hello'), 'same'],
  ['a length of zero', post(['Content-Length: 0'], ''), 'same'],
  ['a body of NULs', post(['Content-Length: 3'], '\0\0\0'), 'same'],
  ['a body that looks like a request', post(['Content-Length: 18'], 'GET / HTTP/1.1\r\n\r\n'), 'same'],
  ['a GET with a body', `${lines('GET / HTTP/1.1', 'Host: a.test', 'Content-Length: 2')}ab`, 'same'],
  [
    'a DELETE with a chunked body',
    `${lines('DELETE / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked')}1\r\na\r\n0\r\n\r\n`,
    'same',
  ],
  ['a chunked body', post(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'), 'same'],
  ['Transfer-Encoding in odd case', post(['transfer-ENCODING: Chunked'], '0\r\n\r\n'), 'same'],
  [
    'upper- and lower-case chunk sizes',
    post(['Transfer-Encoding: chunked'], `a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n`),
    'same',
  ],
  [
    'chunk sizes with leading zeros',
    post(['Transfer-Encoding: chunked'], '0005\r\nhello\r\n000\r\n\r\n'),
    'same',
  ],
  [
    'chunk extensions',
    post(['Transfer-Encoding: chunked'], '5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n'),
    'same',
  ],
  ['CRLF inside a chunk', post(['Transfer-Encoding: chunked'], '4\r\n\r\n\r\n\r\n0\r\n\r\n'), 'same'],
  [
    'a chunk that looks like the end',
    post(['Transfer-Encoding: chunked'], '5\r\n0\r\n\r\n\r\n0\r\n\r\n'),
    'same',
  ],
  ['trailers', post(['Transfer-Encoding: chunked'], '1\r\na\r\n0\r\nX-A: 1\r\nX-B:\r\n\r\n'), 'same'],
  [
    'an HTTP/1.0 request, as such',
    lines('GET / HTTP/1.0', 'Host: a.test'),
    lines('GET / HTTP/1.0', 'Host: a.test', 'Connection: close'),
  ],
  [
    'an HTTP/1.0 request without Host, with one',
    lines('GET / HTTP/1.0'),
    lines('GET / HTTP/1.0', 'Host: a.test', 'Connection: close'),
  ],
  [
    'HTTP/1.0 keep-alive without it',
    lines('GET / HTTP/1.0', 'Host: a.test', 'Connection: keep-alive'),
    lines('GET / HTTP/1.0', 'Host: a.test', 'Connection: close'),
  ],
  ['128 fields', get(...Array.from({ length: 128 }, (_, index) => `X-${index}: ${index}`)), 'same'],
  ['a head of 60,000 bytes', get(`X-Long: ${'v'.repeat(60_000)}`), 'same'],
  [
    'a fields whose name begins like a framing field',
    get('Content-Lengthy: 5', 'Transfer-Encodings: chunked', 'Hosts: b'),
    'same',
  ],
  [
    'a field that spells framing with an underscore',
    get('Content_Length: 5', 'Transfer_Encoding: chunked'),
    'same',
  ],
];

/** What never leaves: the response is 400 (or 431), the connection closes, and no upstream hears of it. */
const refused: readonly (readonly [name: string, sent: string])[] = [
  [
    'Content-Length with Transfer-Encoding',
    post(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  [
    'Transfer-Encoding with Content-Length',
    post(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  ],
  ['differing lengths', post(['Content-Length: 5', 'Content-Length: 6'], 'hello')],
  ['the same length twice', post(['Content-Length: 5', 'Content-Length: 5'], 'hello')],
  ['a list of lengths', post(['Content-Length: 5, 5'], 'hello')],
  ['a negative length', post(['Content-Length: -1'], '')],
  ['a length with a plus', post(['Content-Length: +5'], 'hello')],
  ['a hexadecimal length', post(['Content-Length: 0x5'], 'hello')],
  ['a length with an underscore', post(['Content-Length: 1_0'], '0123456789')],
  ['a length with a fraction', post(['Content-Length: 5.0'], 'hello')],
  ['a length with an exponent', post(['Content-Length: 1e1'], '0123456789')],
  ['an empty length', post(['Content-Length:'], '')],
  ['a length beyond 2^53', post(['Content-Length: 9007199254740993'], '')],
  ['a length of 20 digits', post(['Content-Length: 18446744073709551617'], '')],
  ['a length with inner space', post(['Content-Length: 1 0'], '')],
  ['a quoted length', post(['Content-Length: "5"'], 'hello')],
  ['a length in Arabic digits', post(['Content-Length: \xd9\xa5'], 'hello')],
  ['Transfer-Encoding: identity', post(['Transfer-Encoding: identity'], '')],
  ['Transfer-Encoding: gzip, chunked', post(['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n')],
  ['Transfer-Encoding: chunked, gzip', post(['Transfer-Encoding: chunked, gzip'], '')],
  ['Transfer-Encoding: chunked, chunked', post(['Transfer-Encoding: chunked, chunked'], '0\r\n\r\n')],
  [
    'Transfer-Encoding twice',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  [
    'Transfer-Encoding: chunked then identity',
    post(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], '0\r\n\r\n'),
  ],
  ['Transfer-Encoding: xchunked', post(['Transfer-Encoding: xchunked'], '0\r\n\r\n')],
  ['Transfer-Encoding: "chunked"', post(['Transfer-Encoding: "chunked"'], '0\r\n\r\n')],
  ['Transfer-Encoding: chunked with a parameter', post(['Transfer-Encoding: chunked;a=b'], '0\r\n\r\n')],
  ['an empty Transfer-Encoding', post(['Transfer-Encoding:'], '')],
  ['Transfer-Encoding behind a vertical tab', post(['Transfer-Encoding:\x0bchunked'], '0\r\n\r\n')],
  ['Transfer-Encoding with obs-text around it', post(['Transfer-Encoding: \xa0chunked'], '0\r\n\r\n')],
  ['space before Transfer-Encoding’s colon', post(['Transfer-Encoding : chunked'], '0\r\n\r\n')],
  ['a tab before Content-Length’s colon', post(['Content-Length\t: 5'], 'hello')],
  ['a folded Transfer-Encoding', post(['Transfer-Encoding:\r\n chunked'], '0\r\n\r\n')],
  ['a folded line', get('X-A: 1\r\n  2')],
  ['a line folded with a tab', get('X-A: 1\r\n\t2')],
  ['a first field line that begins with space', lines('GET / HTTP/1.1', ' Host: a.test')],
  ['a last line of white space', `GET / HTTP/1.1\r\nHost: a.test\r\n \r\n\r\n`],
  ['bare LF after the request line', 'GET / HTTP/1.1\nHost: a.test\r\n\r\n'],
  ['bare LF after a field', 'GET / HTTP/1.1\r\nHost: a.test\nX-A: 1\r\n\r\n'],
  ['bare LF as the empty line', 'GET / HTTP/1.1\r\nHost: a.test\r\n\n'],
  ['bare LF throughout', 'GET / HTTP/1.1\nHost: a.test\n\n'],
  ['bare CR after the request line', 'GET / HTTP/1.1\rHost: a.test\r\n\r\n'],
  ['bare CR in a value', get('X-A: 1\r2')],
  ['CR CR LF', 'GET / HTTP/1.1\r\nHost: a.test\r\r\n\r\n'],
  ['CR as the empty line', 'GET / HTTP/1.1\r\nHost: a.test\r\n\rX'],
  ['NUL in a value', get('X-A: a\0b')],
  ['NUL in a name', get('X\0A: b')],
  ['NUL in the target', lines('GET /\0 HTTP/1.1', 'Host: a.test')],
  ['a control character in a value', get('X-A: a\x01b')],
  ['DEL in a value', get('X-A: a\x7fb')],
  ['backspace in a value', get('X-A: a\bb')],
  ['form feed in a value', get('X-A: a\fb')],
  ['an empty field name', get(': value')],
  ['no colon', get('X-A')],
  ['a space in a name', get('X A: 1')],
  ['obs-text in a name', get('X-\xe4: 1')],
  ['a quote in a name', get('"X-A": 1')],
  ['a bracket in a name', get('X(A): 1')],
  ['a slash in a name', get('X/A: 1')],
  ['an at sign in a name', get('X@A: 1')],
  ['no Host', lines('GET / HTTP/1.1')],
  ['two Hosts', lines('GET / HTTP/1.1', 'Host: a.test', 'Host: a.test')],
  ['two Hosts that differ', lines('GET / HTTP/1.1', 'Host: a.test', 'host: b.test')],
  ['HTTP/0.9', 'GET /\r\n'],
  ['HTTP/0.9 with fields', 'GET /\r\nHost: a.test\r\n\r\n'],
  ['HTTP/1.2', lines('GET / HTTP/1.2', 'Host: a.test')],
  ['HTTP/2.0', lines('GET / HTTP/2.0', 'Host: a.test')],
  ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/1.10', lines('GET / HTTP/1.10', 'Host: a.test')],
  ['HTTP/01.1', lines('GET / HTTP/01.1', 'Host: a.test')],
  ['HTTP/1,1', lines('GET / HTTP/1,1', 'Host: a.test')],
  ['http/1.1 in lower case', lines('GET / http/1.1', 'Host: a.test')],
  ['HTTPS/1.1', lines('GET / HTTPS/1.1', 'Host: a.test')],
  ['RTSP/1.0', lines('GET / RTSP/1.0', 'Host: a.test')],
  ['space after the version', lines('GET / HTTP/1.1 ', 'Host: a.test')],
  ['two spaces before the target', lines('GET  / HTTP/1.1', 'Host: a.test')],
  ['two spaces before the version', lines('GET /  HTTP/1.1', 'Host: a.test')],
  ['a tab as separator', lines('GET\t/\tHTTP/1.1', 'Host: a.test')],
  ['a space before the method', lines(' GET / HTTP/1.1', 'Host: a.test')],
  ['a space in the target', lines('GET /a b HTTP/1.1', 'Host: a.test')],
  ['a fragment in the target', lines('GET /#top HTTP/1.1', 'Host: a.test')],
  ['obs-text in the target', lines('GET /\xe4 HTTP/1.1', 'Host: a.test')],
  ['a control character in the target', lines('GET /\x1f HTTP/1.1', 'Host: a.test')],
  ['DEL in the target', lines('GET /\x7f HTTP/1.1', 'Host: a.test')],
  ['no target', lines('GET HTTP/1.1', 'Host: a.test')],
  ['a colon in the method', lines('GET: / HTTP/1.1', 'Host: a.test')],
  ['a bracket in the method', lines('G(T / HTTP/1.1', 'Host: a.test')],
  ['a method of 33 letters', lines(`${'A'.repeat(33)} / HTTP/1.1`, 'Host: a.test')],
  ['a byte-order mark before the method', `\xef\xbb\xbf${get()}`],
  ['two empty lines before the request', `\r\n\r\n${get()}`],
  ['a bare LF before the request', `\n${get()}`],
  ['TLS where HTTP belongs', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['Connection naming Content-Length', post(['Connection: Content-Length', 'Content-Length: 2'], 'hi')],
  [
    'Connection naming Transfer-Encoding',
    post(['Connection: close, Transfer-Encoding', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ],
  ['Connection naming Host', get('Connection: Host')],
  ['Connection that is no list of tokens', get('Connection: close; x="y"')],
  [
    'HTTP/1.0 with Transfer-Encoding',
    `${lines('POST / HTTP/1.0', 'Host: a.test', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  ],
  ['257 fields', get(...Array.from({ length: 256 }, (_, index) => `X-${index}: ${index}`))],
  ['a head of 70,000 bytes', get(`X-Long: ${'v'.repeat(70_000)}`)],
  ['an endless head', `GET / HTTP/1.1\r\nHost: a.test\r\nX-Long: ${'v'.repeat(70_000)}`],
  ['an endless target', `GET /${'v'.repeat(70_000)}`],
  ['an endless method', 'G'.repeat(100)],
];

/** An authorized request whose body breaks its framing: nothing after the fault is sent, and the upstream is cut off. */
const brokenBodies: readonly (readonly [name: string, body: string, forwarded: string])[] = [
  ['no chunk size', '\r\nhello', ''],
  ['a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n', ''],
  ['a negative chunk size', '-5\r\nhello', ''],
  ['a chunk size with a plus', '+5\r\nhello', ''],
  ['a chunk size with an underscore', '1_0\r\n', ''],
  ['a chunk size with leading space', ' 5\r\nhello', ''],
  ['a chunk size with trailing space', '5 \r\nhello', ''],
  ['a chunk size with a tab', '5\t\r\nhello', ''],
  ['a chunk size that is no number', 'g\r\n', ''],
  ['a chunk size beyond 2^53', 'fffffffffffffff\r\n', ''],
  ['a chunk size of 17 digits', '00000000000000005\r\nhello', ''],
  ['a chunk size ended by LF', '5\nhello\r\n0\r\n\r\n', ''],
  ['a chunk size ended by CR alone', '5\rhello', ''],
  ['a chunk extension with LF', '5;a\nhello\r\n0\r\n\r\n', ''],
  ['a chunk extension with NUL', '5;a=\0\r\nhello', ''],
  ['a chunk extension with CR alone', '5;a\rb\r\nhello', ''],
  ['a chunk extension of 20,000 bytes', `5;${'a'.repeat(20_000)}\r\nhello`, ''],
  ['a chunk longer than its size', '5\r\nhello!\r\n0\r\n\r\n', '5\r\nhello'],
  ['a chunk ended by LF', '5\r\nhello\n0\r\n\r\n', '5\r\nhello'],
  ['a chunk ended by CR and another byte', '5\r\nhello\rX', '5\r\nhello'],
  ['a trailer with Content-Length', '0\r\nContent-Length: 5\r\n\r\n', '0\r\n'],
  ['a trailer with Transfer-Encoding', '0\r\ntransfer-encoding: chunked\r\n\r\n', '0\r\n'],
  ['a trailer with Host', '0\r\nHost: b.test\r\n\r\n', '0\r\n'],
  ['a trailer with Authorization', '0\r\nAuthorization: Bearer x\r\n\r\n', '0\r\n'],
  ['a folded trailer', '0\r\nX-A: 1\r\n 2\r\n\r\n', '0\r\n'],
  ['a trailer with space before the colon', '0\r\nX-A : 1\r\n\r\n', '0\r\n'],
  ['a trailer without a colon', '0\r\nX-A\r\n\r\n', '0\r\n'],
  ['a trailer ended by LF', '0\r\nX-A: 1\n\r\n', '0\r\n'],
  ['a trailer with NUL', '0\r\nX-A: \0\r\n\r\n', '0\r\n'],
  ['a last line ended by LF', '0\r\n\n', '0\r\n'],
  ['trailers of 20,000 bytes', `0\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, '0\r\n'],
];

describe('forwards', () => {
  for (const [name, sent, expected] of forwarded) {
    it(name, () => {
      const whole = new Transcript().client(sent);
      expect(whole.sent('upstream')).toBe(expected === 'same' ? sent : expected);
      expect(whole.sent('client')).toBe('');
      expect(whole.authorized).toHaveLength(1);
    });
  }

  it('every one of them also when it arrives byte by byte', () => {
    for (const [, sent, expected] of forwarded) {
      if (sent.length > 10_000) continue;
      const dripped = new Transcript();
      for (const byte of sent) dripped.client(byte);
      expect(dripped.sent('upstream')).toBe(expected === 'same' ? sent : expected);
    }
  });

  it('every one of them cut in two anywhere', () => {
    const samples = forwarded.filter(([, sent]) => sent.length < 1_000);
    fc.assert(
      fc.property(fc.nat(samples.length - 1), fc.nat(1_000), (index, at) => {
        const [, sent = '', expected = ''] = samples[index] ?? [];
        const cut = Math.min(at, sent.length - 1);
        const transcript = new Transcript().client(sent.slice(0, cut));
        if (cut < sent.length) transcript.client(sent.slice(cut));
        expect(transcript.sent('upstream')).toBe(expected === 'same' ? sent : expected);
      }),
    );
  });
});

describe('refuses, and sends nothing to an upstream:', () => {
  for (const [name, sent] of refused) {
    it(name, () => {
      const transcript = new Transcript().client(sent);
      expect(transcript.sent('upstream')).toBe('');
      expect(transcript.sent('client')).toBe('<malformed-head, close>');
      expect(transcript.actions.at(-1)).toBe('end client');
      expect(transcript.authorized).toHaveLength(0);
    });
  }

  it('every one of them also when it arrives byte by byte', () => {
    for (const [name, sent] of refused) {
      if (sent.length > 10_000) continue;
      const dripped = new Transcript();
      for (const byte of sent) dripped.client(byte);
      dripped.machine.clientEnd();
      expect([name, dripped.sent('upstream'), dripped.sent('client')]).toEqual([
        name,
        '',
        '<malformed-head, close>',
      ]);
    }
  });

  it('a target beyond ASCII, and says what to do about it', () => {
    const bytes = Buffer.from(lines('GET /?q=caf\u00e9 HTTP/1.1', 'Host: a.test'));
    const read = parseRequestHead(bytes, 0, bytes.length);
    expect(read instanceof Fault && read.reason).toContain('has to be percent-encoded');
  });

  it('what follows a refused request on the same connection', () => {
    const transcript = new Transcript().client(`${post(['Content-Length: 5, 5'], '')}${get()}`).client(get());
    expect(transcript.sent('upstream')).toBe('');
    expect(transcript.authorized).toHaveLength(0);
  });
});

describe('cuts off a chunked body with', () => {
  const head = lines('POST / HTTP/1.1', 'Host: a.test', 'Transfer-Encoding: chunked');
  for (const [name, body, sent] of brokenBodies) {
    it(name, () => {
      const transcript = new Transcript().client(head);
      for (const byte of body) transcript.client(byte);
      const upstream = transcript.sent('upstream');
      expect(upstream.startsWith(head + sent)).toBe(true);
      // Byte by byte, what was valid before the fault has been sent; the fault and what follows has not.
      expect((head + body).startsWith(upstream)).toBe(true);
      expect(upstream.length).toBeLessThan(head.length + body.length);
      expect(transcript.actions).toContain('destroy upstream');
      expect(transcript.sent('client')).toBe('<malformed-body, close>');
      expect(transcript.actions.at(-1)).toBe('end client');
    });
  }
});
