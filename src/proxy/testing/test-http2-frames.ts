import type { AddressInfo } from 'node:net';
import { connect as connectTls, createServer } from 'node:tls';
import { apiHost, connectTo, dialProxy, type Fixture, upstreamContext } from './test-fixture.ts';

/** A client of the tests that writes its HTTP/2 frames itself, right or wrong (RFC 9113 §4, §6). */
export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** RFC 9113 §7. */
export const Code = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  connect: 10,
  calm: 11,
} as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
  length?: number,
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(length ?? body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream >>> 0, 5);
  return Buffer.concat([head, body]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const entries = pairs.map(([id, value]) =>
    Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]),
  );
  return frame(Type.settings, 0, 0, Buffer.concat(entries));
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** RFC 7541 §6.2.2: literals that nobody indexes, without Huffman codes. */
export function literals(fields: Fields): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([0]),
      ...[name, value].map((text) => lengthAndText(text)),
    ]),
  );
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(bytes.length, 7), bytes]);
}

/** RFC 7541 §5.1. */
export function integer(value: number, prefixBits: number, pattern = 0): Buffer {
  const limit = 2 ** prefixBits - 1;
  if (value < limit) return Buffer.from([pattern | value]);
  const bytes = [pattern | limit];
  let rest = value - limit;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** HEADERS of a complete request, or of what the case calls one. */
export function headers(stream: number, fields: Fields, flags: number = Flag.endStream): Buffer {
  return frame(Type.headers, flags | Flag.endHeaders, stream, literals(fields));
}

export const getFields: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', apiHost],
  [':path', '/'],
];

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Splits what arrives into complete frames, after so many bytes that are none. */
function splitter(skipped = 0): (chunk: Buffer) => readonly Frame[] {
  let received = Buffer.alloc(0);
  let skip = skipped;
  return (chunk) => {
    received = Buffer.concat([received, chunk]);
    const frames: Frame[] = [];
    for (let at = skip; ; ) {
      const length = received.length - at < 9 ? Number.POSITIVE_INFINITY : received.readUIntBE(at, 3);
      if (received.length - at < 9 + length) {
        // The bytes ahead of the first frame may not be there yet either.
        skip = Math.max(0, at - received.length);
        received = received.subarray(Math.min(at, received.length));
        return frames;
      }
      frames.push({
        type: received.readUInt8(at + 3),
        flags: received.readUInt8(at + 4),
        stream: received.readUInt32BE(at + 5) & 0x7fffffff,
        payload: received.subarray(at + 9, at + 9 + length),
      });
      at += 9 + length;
    }
  };
}

export interface RawClient {
  /** Everything received so far. */
  readonly frames: Frame[];
  closed: boolean;
  send(...bytes: readonly Buffer[]): void;
  /** Waits until the frames match, or the connection is closed. */
  until(matches: (frames: readonly Frame[]) => boolean): Promise<void>;
  /** Reads nothing for a while: what comes stays in the network. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** A connection through the proxy, in an interception of the API's host; nothing is sent on it yet. */
export async function dialRaw(fixture: Fixture): Promise<RawClient> {
  const client = await dialProxy(fixture);
  await connectTo(client, fixture, `${apiHost}:443`);
  client.socket.removeAllListeners('data');
  client.socket.setNoDelay(true);
  const socket = connectTls({
    socket: client.socket,
    servername: apiHost,
    ca: fixture.run.caPem,
    ALPNProtocols: ['h2'],
    checkServerIdentity: () => undefined,
  });
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of [...waiting]) one();
  };
  const split = splitter();
  const raw: RawClient = {
    frames: [],
    closed: false,
    send: (...bytes) => {
      if (!socket.destroyed) socket.write(Buffer.concat(bytes));
    },
    until: (matches) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!raw.closed && !matches(raw.frames)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => {
      socket.destroy();
      client.socket.destroy();
    },
  };
  socket.on('data', (chunk: Buffer) => {
    raw.frames.push(...split(chunk));
    wake();
  });
  const onEnd = (): void => {
    raw.closed = true;
    wake();
  };
  socket.on('end', onEnd).on('close', onEnd).on('error', onEnd);
  await new Promise<void>((resolve) => socket.once('secureConnect', resolve).once('close', () => resolve()));
  return raw;
}

/** An upstream that writes its frames itself: `response` gets each frame, the number of its connection, and how to reply. */
export async function serveFrames(
  cleanups: (() => unknown)[],
  hello: readonly (readonly [id: number, value: number])[],
  response: (frame: Frame, connection: number, send: (...bytes: readonly Buffer[]) => void) => void,
): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  let connections = 0;
  const server = createServer(
    { SNICallback: (name, done) => done(null, upstreamContext(name)), ALPNProtocols: ['h2'] },
    (socket) => {
      const connection = connections;
      connections += 1;
      const split = splitter(preface.length);
      const send = (...bytes: readonly Buffer[]): void => {
        if (!socket.destroyed) socket.write(Buffer.concat(bytes));
      };
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => {
        for (const one of split(chunk)) {
          if (one.type === Type.settings && (one.flags & Flag.ack) === 0)
            send(frame(Type.settings, Flag.ack, 0));
          else response(one, connection, send);
        }
      });
      send(settings(...hello));
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}
