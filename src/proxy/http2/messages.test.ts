import { apiHost, otherHost, secret } from '../testing/test-fixture.ts';
import { type Case, checkCases } from '../testing/test-http2-cases.ts';
import {
  type Fields,
  Flag,
  frame,
  getFields,
  headers,
  integer,
  literals,
  Type,
} from '../testing/test-http2-frames.ts';

const { endStream, endHeaders } = Flag;

/** The usual request, with pseudo-header fields in place of, or beside, its own. */
function pseudo(changes: Readonly<Record<string, string | undefined>>): Fields {
  const changed = getFields.flatMap(([name, value]): Fields => {
    const given = name in changes ? changes[name] : value;
    return given === undefined ? [] : [[name, given]];
  });
  const more = Object.entries(changes).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && !getFields.some(([name]) => name === entry[0]),
  );
  return [...changed, ...more];
}

const request = (changes: Readonly<Record<string, string | undefined>>, ...more: Fields) =>
  headers(1, [...pseudo(changes), ...more]);
const withField = (...more: Fields) => headers(1, [...getFields, ...more]);
const post = (...more: Fields) => headers(1, [...pseudo({ ':method': 'POST' }), ...more], 0);
const data = (text: string, flags: number = endStream) => frame(Type.data, flags, 1, text);
const trailers = (fields: Fields, flags: number = endStream) => headers(1, fields, flags);

const injected = ['injected'];
const refused = ['MalformedRequest'];

/** Turned away unread: reset, on record without a word of what it held, and nothing of it reaches the upstream. */
const unread = (name: string, ...send: readonly Buffer[]): Case => ({
  name,
  send,
  gets: 'reset protocol',
  audit: refused,
});
const passes = (name: string, upstream: string, ...send: readonly Buffer[]): Case => ({
  name,
  send,
  gets: 'status 200',
  upstream: [upstream],
  audit: injected,
});
/** nghttp2 leaves such a field out, and no more: what is decided on and sent is the request without it. */
const leftOut = (name: string, ...send: readonly Buffer[]): Case =>
  passes(`${name}, which is left out`, 'GET /', ...send);
/** In HTTP/1.1 such trailers are malformed; here the request continues without them, and is neither lost nor stuck. */
const leftOutOfTrailers = (name: string, value: string): Case =>
  passes(
    `${name} in trailers, which is left out`,
    'POST / "body" {"x-sum":"1"}',
    post(),
    data('body', 0),
    trailers([
      [name, value],
      ['x-sum', '1'],
    ]),
  );
const replied = (name: string, status: number, outcome: string, ...send: readonly Buffer[]): Case => ({
  name,
  send,
  gets: `status ${status}`,
  audit: [outcome],
});

// biome-ignore format: a table, one case a line
checkCases('fields (RFC 9113 §8.2)', [
  unread('a name with a capital letter', withField(['X-Name', 'a'])),
  leftOut('an empty name', withField(['', 'a'])),
  leftOut('a name with a space', withField(['x name', 'a'])),
  leftOut('a name with a colon', withField(['x:name', 'a'])),
  leftOut('a name with NUL', withField(['x\0', 'a'])),
  leftOut('a name with DEL', withField(['x\x7f', 'a'])),
  leftOut('a name beyond ASCII', withField(['x\xe4', 'a'])),
  leftOut('a value with NUL', withField(['x-a', 'a\0b'])),
  leftOut('a value with CR', withField(['x-a', 'a\rb'])),
  leftOut('a value with LF', withField(['x-a', 'a\nAuthorization: Bearer phantom'])),
  leftOut('a value that begins with a space', withField(['x-a', ' a'])),
  leftOut('a value that ends with a tab', withField(['x-a', 'a\t'])),
  unread('connection', withField(['connection', 'close'])),
  unread('proxy-connection', withField(['proxy-connection', 'keep-alive'])),
  unread('keep-alive', withField(['keep-alive', 'timeout=5'])),
  unread('transfer-encoding', withField(['transfer-encoding', 'chunked'])),
  unread('upgrade', withField(['upgrade', 'websocket'])),
  unread('te other than trailers', withField(['te', 'gzip'])),
  passes('te: trailers', 'GET / {"te":"trailers"}', withField(['te', 'trailers'])),
  passes('proxy-authorization, which goes no further', 'GET /', withField(['proxy-authorization', 'Basic eDp5'])),
  passes('http2-settings, which goes no further', 'GET /', withField(['http2-settings', 'AAMAAABk'])),
  passes('the agent’s own authorization, which is replaced', 'GET /', withField(['authorization', 'Bearer phantom'])),
  passes('an empty value', 'GET / {"x-a":""}', withField(['x-a', ''])),
  passes('cookies in crumbs', 'GET / {"cookie":"a=1; b=2"}', withField(['cookie', 'a=1'], ['cookie', 'b=2'])),
]);

// biome-ignore format: a table, one case a line
checkCases('pseudo-header fields (RFC 9113 §8.3)', [
  unread('after a field', headers(1, [...pseudo({ ':path': undefined }), ['x-a', 'b'], [':path', '/']])),
  unread('one that is unknown', request({ ':unknown': 'a' })),
  unread('one of responses', request({ ':status': '200' })),
  unread(':method twice', withField([':method', 'GET'])),
  unread(':path twice', withField([':path', '/other'])),
  unread(':scheme twice', withField([':scheme', 'https'])),
  unread(':authority twice', withField([':authority', otherHost])),
  unread('no :method', request({ ':method': undefined })),
  unread('no :scheme', request({ ':scheme': undefined })),
  unread('no :path', request({ ':path': undefined })),
  unread('an empty :path', request({ ':path': '' })),
  unread('neither :authority nor host', request({ ':authority': undefined })),
  unread('an empty :method', request({ ':method': '' })),
  unread('a :method with a space', request({ ':method': 'GE T' })),
  passes('host in place of :authority', 'GET /', request({ ':authority': undefined }, ['host', apiHost])),
  passes('host beside the same :authority', 'GET /', withField(['host', apiHost])),
  passes('the port that goes without saying', 'GET /', request({ ':authority': `${apiHost}:443` })),
  passes('a host in capitals', 'GET /', request({ ':authority': apiHost.toUpperCase() })),
  replied('another :authority', 421, 'TargetMismatch', request({ ':authority': otherHost })),
  replied('another host beside :authority', 421, 'TargetMismatch', withField(['host', otherHost])),
  replied('another port', 421, 'TargetMismatch', request({ ':authority': `${apiHost}:8443` })),
  unread('host twice', withField(['host', apiHost], ['host', otherHost])),
  { ...replied('a user in :authority', 400, 'MalformedRequest', request({ ':authority': `user@${apiHost}` })), newer: { gets: 'reset protocol' } },
  unread('a path in :authority', request({ ':authority': `${apiHost}/x` })),
  replied('http', 403, 'PlainHttpRefused', request({ ':scheme': 'http' })),
  replied('a scheme of no use', 403, 'PlainHttpRefused', request({ ':scheme': 'ftp' })),
  replied('a fragment', 400, 'MalformedRequest', request({ ':path': '/a#b' })),
  unread('a space in :path', request({ ':path': '/a b' })),
  unread('a tab in :path', request({ ':path': '/a\tb' })),
  replied(':path beyond ASCII', 400, 'MalformedRequest', request({ ':path': '/\xe4' })),
  unread(':path without a slash', request({ ':path': 'v1' })),
  unread(':path in absolute form', request({ ':path': `https://${apiHost}/` })),
  unread('* for GET', request({ ':path': '*' })),
  replied('segments that lead elsewhere', 421, 'TargetMismatch', request({ ':path': '/a/../b' })),
  replied('encoded segments that lead elsewhere', 421, 'TargetMismatch', request({ ':path': '/a/%2e%2e/b' })),
  replied('segments that lead elsewhere by backslashes', 421, 'TargetMismatch', request({ ':path': '/a\\..\\b' })),
  { name: '* for OPTIONS, which is of no route', send: [request({ ':method': 'OPTIONS', ':path': '*' })], gets: 'status 200', upstream: ['OPTIONS *'], audit: ['passed'] },
  passes('a method in small letters, as it is', 'get /', request({ ':method': 'get' })),
  replied('TRACE', 403, 'OperationNotAllowed', request({ ':method': 'TRACE' })),
  replied('trace in small letters', 403, 'OperationNotAllowed', request({ ':method': 'trace' })),
]);

// biome-ignore format: a table, one case a line
checkCases('CONNECT (RFC 9113 §8.5, RFC 8441)', [
  replied('a tunnel in a tunnel', 400, 'MalformedRequest', headers(1, [[':method', 'CONNECT'], [':authority', `${apiHost}:443`]], 0)),
  unread('CONNECT with :path but no :protocol', request({ ':method': 'CONNECT' })),
  unread('CONNECT without :authority', headers(1, [[':method', 'CONNECT']], 0)),
  unread(':protocol with GET', request({ ':protocol': 'websocket' })),
  unread('extended CONNECT without :path', request({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': undefined })),
  replied('extended CONNECT to another host', 421, 'TargetMismatch', request({ ':method': 'CONNECT', ':protocol': 'websocket', ':authority': otherHost })),
  replied('extended CONNECT over http', 403, 'PlainHttpRefused', request({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http' })),
  passes('extended CONNECT', 'CONNECT /socket {":protocol":"websocket"} "frames"', headers(1, pseudo({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/socket' }), 0), data('frames')),
]);

// biome-ignore format: a table, one case a line
checkCases('bodies and trailers (RFC 9113 §8.1)', [
  passes('a body of the length it says', 'POST / {"content-length":"4"} "body"', post(['content-length', '4']), data('body')),
  { name: 'a body longer than it says', send: [post(['content-length', '3']), data('body')], gets: 'reset protocol', upstream: ['POST / {"content-length":"3"} cut'], audit: injected, newer: { gets: 'goaway protocol' } },
  { name: 'a body shorter than it says', send: [post(['content-length', '5']), data('body')], gets: 'reset protocol', upstream: ['POST / {"content-length":"5"} "body" cut'], audit: injected },
  unread('no body where a length says so', headers(1, [...pseudo({ ':method': 'POST' }), ['content-length', '4']])),
  unread('two lengths', post(['content-length', '4'], ['content-length', '5'])),
  unread('a length that is no number', post(['content-length', '4x'])),
  unread('a negative length', post(['content-length', '-4'])),
  unread('an empty length', post(['content-length', ''])),
  passes('trailers', 'POST / "body" {"x-sum":"1"}', post(), data('body', 0), trailers([['x-sum', '1']])),
  leftOutOfTrailers('http2-settings', 'AAMAAABk'),
  leftOutOfTrailers('proxy-authorization', 'Basic eDp5'),
  leftOutOfTrailers('authorization', 'Bearer phantom'),
  leftOutOfTrailers('host', otherHost),
  leftOutOfTrailers('cookie', 'a=1'),
  { name: 'a pseudo-header field in trailers', send: [post(), data('body', 0), trailers([[':path', '/other']])], gets: 'reset protocol', upstream: ['POST / "body" cut'], audit: injected },
  { name: 'a capital letter in trailers', send: [post(), data('body', 0), trailers([['X-Sum', '1']])], gets: 'reset protocol', upstream: ['POST / "body" cut'], audit: injected },
  { name: 'connection in trailers', send: [post(), data('body', 0), trailers([['connection', 'close']])], gets: 'reset protocol', upstream: ['POST / "body" cut'], audit: injected },
  { name: 'trailers that end nothing', send: [post(), data('body', 0), trailers([['x-sum', '1']], 0)], gets: 'reset protocol', upstream: ['POST / "body" cut'], audit: injected },
  { name: 'a body after trailers', send: [post(), trailers([['x-sum', '1']]), data('x')], gets: 'goaway streamClosed | status 200', last: true, upstream: ['POST / {"x-sum":"1"}'], audit: injected, newer: { upstream: ['POST / cut'] } },
]);

/** RFC 7541 §6.2.1: a literal that goes into the table. */
const remembered = (name: string, value: string): Buffer =>
  Buffer.concat([
    Buffer.from([0x40]),
    integer(name.length, 7),
    Buffer.from(name),
    integer(value.length, 7),
    Buffer.from(value),
  ]);
const blockOf = (...parts: readonly Buffer[]) =>
  frame(Type.headers, endStream | endHeaders, 1, Buffer.concat(parts));
const block = literals(getFields);
const wrong = (name: string, ...parts: readonly Buffer[]): Case => ({
  name,
  send: [blockOf(...parts)],
  gets: 'goaway compression',
  audit: refused,
});
const bytes = (...given: readonly number[]) => Buffer.from(given);

// biome-ignore format: a table, one case a line
checkCases('compressed fields (RFC 7541)', [
  wrong('index 0', block, bytes(0x80)),
  wrong('an index beyond the tables', block, bytes(0xff, 0x21)),
  wrong('an index that never ends', block, bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)),
  wrong('a name beyond the block', block, bytes(0x00, 0x7e, 0x61)),
  wrong('a code for the end of a string', block, bytes(0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00)),
  wrong('padding of a whole byte', block, bytes(0x00, 0x82, 0x1f, 0xff, 0x01, 0x61)),
  wrong('padding of zeros', block, bytes(0x00, 0x81, 0x18, 0x01, 0x61)),
  wrong('a table larger than was allowed', integer(4_097, 5, 0x20), block),
  wrong('a new size of the table in the middle', block, integer(0, 5, 0x20), literals([['x-a', 'b']])),
  passes('a table of no size', 'GET /', blockOf(integer(0, 5, 0x20), block)),
  passes('an entry of the table, used', 'GET / {"x-a":"b, b"}', blockOf(block, remembered('x-a', 'b'), bytes(0xbe))),
  passes('indexed fields of the static table', 'GET /', blockOf(bytes(0x82, 0x84, 0x87), literals([[':authority', apiHost]]))),
  passes('a secret that the agent guessed, which is replaced too', 'GET /', blockOf(block, remembered('authorization', `Bearer ${secret}`))),
]);
