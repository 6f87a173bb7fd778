/** A service that answers with what it was sent: for tests of what comes back to a run. */
import type { IncomingHttpHeaders } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import * as zlib from 'node:zlib';
import { createThrowawayCa } from './service/index.ts';

export const echoHost = 'echo.acme.test';
export const frankHost = 'frank.acme.test';
export const hiddenHost = 'hidden.acme.test';
export const lateHost = 'late.acme.test';
/** Speaks HTTP/2 alone. */
export const secondHost = 'second.acme.test';

/** Every coding that this Node makes. */
export const compressors: ReadonlyMap<string, (text: string | Buffer) => Buffer> = new Map([
  ['gzip', zlib.gzipSync],
  ['br', zlib.brotliCompressSync],
  ...('zstdCompressSync' in zlib
    ? [['zstd', zlib.zstdCompressSync as (text: string | Buffer) => Buffer] as const]
    : []),
]);

/** A service that sends back what it got, in its head and in its body. */
export interface EchoService {
  readonly caPem: string;
  readonly resolve: string;
  close(): void;
}

interface Echo {
  readonly head: Readonly<Record<string, string>>;
  /** One piece, or several chunks. */
  readonly pieces: readonly Buffer[];
}

/**
 * `?coding`, `?chunked`, `?type`, `?in` (an encoding of text) and `?trailer` shape the body; under `/image` it is no text. `/events` sends one event, and the rest only
 * when `/next` was asked for.
 */
export async function startEchoService(): Promise<EchoService> {
  const ca = await createThrowawayCa('Throwaway echo CA');
  const { certPem: cert, keyPem: key } = await ca.issue([
    echoHost,
    frankHost,
    hiddenHost,
    lateHost,
    secondHost,
  ]);
  let next = (): void => {};
  const sockets = new Set<Socket>();

  const first = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://echo');
    if (url.pathname === '/events') {
      response.setHeader('content-type', 'text/event-stream');
      response.write('data: first\n\n');
      next = () => response.end(`data: ${request.headers.authorization}\n\ndata: last\n\n`);
      return;
    }
    if (url.pathname === '/next') next();
    const { head, pieces } = echo(url, request.headers);
    response.writeHead(
      200,
      url.searchParams.has('chunked') ? head : { ...head, 'content-length': sizeOf(pieces) },
    );
    for (const piece of pieces) response.write(piece);
    if (url.searchParams.has('trailer')) response.addTrailers({ 'x-echo': head['x-echo'] ?? '' });
    response.end();
  });
  const second = createSecureServer({ cert, key });
  second.on('stream', (stream: ServerHttp2Stream, headers) => {
    const { head, pieces } = echo(new URL(headers[':path'] ?? '/', 'https://echo'), headers);
    stream.respond({ ':status': 200, ...head });
    for (const piece of pieces) stream.write(piece);
    stream.end();
  });
  const [at, atSecond] = await Promise.all([listening(first, sockets), listening(second, sockets)]);
  return {
    caPem: ca.caPem,
    resolve: [
      ...[echoHost, frankHost, hiddenHost, lateHost].map((host) => `${host}:443:127.0.0.1:${at}`),
      `${secondHost}:443:127.0.0.1:${atSecond}`,
    ].join(','),
    close() {
      for (const server of [first, second]) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function echo(url: URL, { authorization = '' }: IncomingHttpHeaders): Echo {
  const coding = url.searchParams.get('coding') ?? 'identity';
  const secret = authorization.replace(/^Bearer /, '');
  const text = JSON.stringify({
    path: url.pathname,
    authorization,
    escaped: encodeURIComponent(`"${secret}"`),
    base64: Buffer.from(`user:${secret}`).toString('base64'),
  });
  const encoded = encoders[url.searchParams.get('in') ?? '']?.(text) ?? Buffer.from(text);
  const body = compressors.get(coding)?.(encoded) ?? encoded;
  const middle = url.searchParams.has('chunked') ? Math.floor(body.length / 3) : body.length;
  return {
    head: {
      'content-type': url.searchParams.get('type') ?? usualType(url.pathname),
      'x-echo': authorization,
      ...(coding === 'identity' ? {} : { 'content-encoding': coding }),
    },
    pieces: [body.subarray(0, middle), body.subarray(middle)].filter(({ length }) => length > 0),
  };
}

const usualType = (path: string): string =>
  path.startsWith('/image') ? 'image/x-made-up' : 'application/json';

/** Encodings of text other than UTF-8. */
export const encoders: Readonly<Record<string, (text: string) => Buffer>> = {
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  'utf-16be': (text) => Buffer.from(text, 'utf16le').swap16(),
  'utf-16 with a byte order mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'utf-32le': (text) => utf32(text),
  'utf-32be': (text) => utf32(text).swap32(),
  'utf-32 with a byte order mark': (text) => utf32(`\ufeff${text}`),
  // The bytes of ASCII are those of ASCII.
  'windows-1252': (text) => Buffer.from(text, 'latin1'),
};

function utf32(text: string): Buffer {
  return Buffer.concat(
    [...text].map((char) => Buffer.from([char.charCodeAt(0), char.charCodeAt(0) >> 8, 0, 0])),
  );
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((size, { length }) => size + length, 0);
}

function listening(server: Server | Http2SecureServer, sockets: Set<Socket>): Promise<number> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
