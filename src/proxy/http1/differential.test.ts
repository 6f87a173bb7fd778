import { createServer, type IncomingMessage, METHODS } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Transcript } from '../testing/test-transcript.ts';
import { parseTarget } from './index.ts';

interface Read {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly fields: readonly string[];
}

/** What Node's own parser makes of bytes that end there. */
async function readByNode(
  bytes: string,
): Promise<{ readonly requests: readonly Read[]; readonly failed: boolean }> {
  const requests: Read[] = [];
  let failed = false;
  const server = createServer((message: IncomingMessage, response) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const fields = message.rawHeaders.map((text) => text);
      requests.push({
        method: message.method ?? '',
        url: message.url ?? '',
        body: Buffer.concat(chunks).toString('latin1'),
        fields,
      });
      response.end();
    });
    message.on('error', () => {});
  });
  await new Promise<void>((resolve) => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), allowHalfOpen: true });
    server.on('clientError', () => {
      failed = true;
      socket.destroy();
    });
    server.on('upgrade', () => socket.destroy());
    server.on('connect', () => socket.destroy());
    socket.on('close', () => resolve());
    socket.on('finish', () => socket.destroy());
    socket.on('error', () => {});
    server.emit('connection', socket);
    socket.push(Buffer.from(bytes, 'latin1'));
    setImmediate(() =>
      setImmediate(() => {
        socket.push(null);
        setImmediate(() => setImmediate(() => socket.destroy()));
      }),
    );
  });
  return { requests, failed };
}

/** What the machine forwards when every request gets an empty response. */
function forwardedBy(bytes: string): {
  readonly sent: string;
  readonly refused: boolean;
  readonly transcript: Transcript;
} {
  const transcript = new Transcript();
  const responses = { given: 0 };
  const respond = (): void => {
    while (responses.given < transcript.authorized.length && !transcript.sent('client').includes('<')) {
      responses.given += 1;
      transcript.upstream('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }
  };
  transcript.client(bytes);
  respond();
  return { sent: transcript.sent('upstream'), refused: transcript.sent('client').includes('<'), transcript };
}

const seeds = [
  'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\nAccept: */*\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nX-T: 1\r\n\r\n',
  'GET /1 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n',
  'POST /1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n',
];
const interesting = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '0',
  '1',
  '5',
  'a',
  'G',
  '/',
  '\x0b',
  '\x7f',
  '\xff',
  '"',
  '-',
  '+',
  '\r\n ',
  '\r\n\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'Host: b.test\r\n',
];

const mutation = fc.record({
  at: fc.nat(400),
  drop: fc.integer({ min: 0, max: 3 }),
  insert: fc.constantFrom('', ...interesting),
});
const mutated = fc
  .record({ seed: fc.constantFrom(...seeds), mutations: fc.array(mutation, { minLength: 1, maxLength: 3 }) })
  .map(({ seed, mutations }) =>
    mutations.reduce((text, { at, drop, insert }) => {
      const position = at % (text.length + 1);
      return text.slice(0, position) + insert + text.slice(position + drop);
    }, seed),
  );

/** Trailing bytes of a body that is not over yet are a request under way for both. */
function complete(reads: readonly Read[]): readonly string[] {
  return reads.map(({ method, url, body }) => `${method} ${url} ${body}`);
}

it('Node’s parser reads what the machine forwards as the same requests, one for one', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      const { sent, transcript } = forwardedBy(bytes);
      if (sent === '' || !isKnownToNode(transcript)) return;
      const { requests } = await readByNode(sent);
      const authorized = transcript.authorized.map(({ method, target }) => `${method} ${target}`);
      const read = requests.map(({ method, url }) => `${method} ${url}`);
      // Every request that Node completes is one that was authorized, in order; only the last may be incomplete.
      expect(authorized.slice(0, read.length)).toEqual(read);
      expect(authorized.length - read.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 400 },
  );
});

it('Node’s parser accepts what the machine accepts, and reads it alike', async () => {
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      const { refused, sent, transcript } = forwardedBy(bytes);
      if (refused || !transcript.machine.idle || !isKnownToNode(transcript)) return;
      const direct = await readByNode(bytes);
      const through = await readByNode(sent);
      expect(direct.failed).toBe(false);
      expect(complete(through.requests)).toEqual(complete(direct.requests));
    }),
    { numRuns: 400 },
  );
});

/**
 * Where the two differ, and why: Node refuses methods that it does not know (RFC 9110 §9.1 lets a server do so; a
 * proxy passes them on), and it looks at the target's form, which is not the head parser's matter but decide's.
 */
function isKnownToNode(transcript: Transcript): boolean {
  return transcript.authorized.every(
    ({ method, target }) => METHODS.includes(method) && parseTarget(method, target) !== undefined,
  );
}
