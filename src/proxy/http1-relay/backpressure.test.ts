import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import { apiHost, dialThrough, openFixtureWithRaw } from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();

const mebibyte = 1024 * 1024;
const large = 256 * mebibyte;
/** What the kernel's buffers of four loopback sockets may contain besides the proxy's own. */
const bound = 48 * mebibyte;
const block = Buffer.alloc(256 * 1024, 'x');

/** Writes `bytes` to a reader that may be slow, never more than one block ahead. */
function pour(socket: Socket, bytes: number, done: () => void): void {
  let rest = bytes;
  const go = (): void => {
    while (rest > 0) {
      const part = block.subarray(0, Math.min(block.length, rest));
      rest -= part.length;
      if (!socket.write(part) && rest > 0) {
        socket.once('drain', go);
        return;
      }
    }
    done();
  };
  go();
}

/** What has left a socket once nothing moves any more, which shows only over time. */
async function settled(socket: Socket): Promise<number> {
  for (let before = -1, same = 0; ; ) {
    const now = socket.bytesWritten - socket.writableLength;
    same = now === before ? same + 1 : 0;
    if (same === 10 && now > 0) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a side that does not read', { timeout: 60_000 }, () => {
  it.each([
    { what: 'a response', type: 'application/octet-stream', framing: 1_000 },
    // Framed again, in chunks.
    { what: 'a response that is searched for the secret', type: 'text/plain', framing: mebibyte },
  ])(
    'as a client: of $what of 256 MiB no more is taken than the buffers hold, and all of it once it reads',
    async ({ type, framing }) => {
      let answering: Socket | undefined;
      const fixture = await openFixtureWithRaw(cleanups, (tls) => {
        tls.once('data', () => {
          answering = tls;
          tls.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${large}\r\n\r\n`);
          pour(tls, large, () => {});
        });
      });
      const { socket } = await dialThrough(fixture);
      socket.removeAllListeners('data').pause();
      socket.write(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
      while (answering === undefined) await new Promise((resolve) => setImmediate(resolve));
      expect(await settled(answering)).toBeLessThan(bound);
      let received = 0;
      await new Promise<void>((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          received += chunk.length;
          if (received >= large) resolve();
        });
        socket.resume();
      });
      expect(received - large).toBeLessThan(framing);
    },
  );

  it('as an upstream: accepts no more of a 256 MiB upload than the buffers can store, and all of it once it reads', async () => {
    let reading: Socket | undefined;
    let received = 0;
    const fixture = await openFixtureWithRaw(cleanups, (tls) => {
      tls.once('data', (chunk: Buffer) => {
        received += chunk.length;
        reading = tls;
        tls.pause();
      });
    });
    const { socket } = await dialThrough(fixture);
    socket.write(`POST / HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Length: ${large}\r\n\r\n`);
    while (reading === undefined) await new Promise((resolve) => setImmediate(resolve));
    const poured = new Promise<void>((resolve) => pour(socket, large, resolve));
    expect(await settled(socket)).toBeLessThan(bound);
    await new Promise<void>((resolve) => {
      reading?.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received >= large) resolve();
      });
      reading?.resume();
    });
    await poured;
    expect(received - large).toBeLessThan(1_000);
  });

  it('as a client that reads slowly: gets all of a response, though the next one is cut off behind it', async () => {
    const size = 8 * mebibyte;
    const broken = 'HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\ncut';
    const fixture = await openFixtureWithRaw(cleanups, (tls) => {
      tls.on('data', (chunk: Buffer) => {
        if (chunk.toString().startsWith('GET /1 ')) {
          tls.write(`HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: ${size}\r\n\r\n`);
          pour(tls, size, () => {});
        } else tls.end(broken);
      });
    });
    const { socket } = await dialThrough(fixture);
    const events: string[] = [];
    let received = 0;
    let last = '';
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      received += chunk.length;
      last = (last + chunk.toString('latin1')).slice(-broken.length);
      socket.pause();
      setImmediate(() => socket.resume());
    });
    socket.on('error', ({ message }) => events.push(message));
    socket.on('end', () => events.push('end'));
    for (const path of ['/1', '/2']) socket.write(`GET ${path} HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    await expect.poll(() => events, { timeout: 30_000 }).toEqual(['end']);
    expect(received).toBeGreaterThan(size);
    expect(last.endsWith('\r\n\r\ncut')).toBe(true);
    expect(fixture.failures).toMatchObject([{ outcome: 'UpstreamUnreachable' }]);
  });
});
