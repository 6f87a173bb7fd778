import type { Socket } from 'node:net';

/** Reads the first bytes of a connection, then hands it on as if nothing had been read. */
export interface SocketReader {
  /** Resolves with exactly `length` bytes. */
  exactly(length: number): Promise<Buffer>;
  /** Resolves with everything up to and including `mark`; rejects when that is more than `limit` bytes. */
  through(mark: string, limit: number): Promise<Buffer>;
  /** Stops reading; what was read beyond that becomes readable again, unless the connection has ended. */
  release(): void;
}

/** A reader of `socket` that rejects when it ends, fails, or `signal` aborts. */
export function readSocket(socket: Socket, signal: AbortSignal): SocketReader {
  let buffered: Buffer = Buffer.alloc(0);
  let failure: Error | undefined;
  let wake = (): void => {};

  const read = (chunk: Buffer): void => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    wake();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  const end = (): void => fail(new Error('closed'));
  const abort = (): void => fail(signal.reason as Error);
  socket.on('data', read).on('error', fail).on('end', end).on('close', end);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();

  const take = async (lengthOf: () => number | undefined): Promise<Buffer> => {
    for (;;) {
      const length = lengthOf();
      if (length !== undefined) {
        const taken = buffered.subarray(0, length);
        buffered = buffered.subarray(length);
        return taken;
      }
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  return {
    exactly: (length) => take(() => (buffered.length >= length ? length : undefined)),
    through: (mark, limit) =>
      take(() => {
        const at = buffered.indexOf(mark);
        if (at >= 0 && at + mark.length <= limit) return at + mark.length;
        if (at >= 0 || buffered.length > limit) fail(new Error('too long'));
        return undefined;
      }),
    release() {
      socket.pause();
      socket.off('data', read).off('error', fail).off('end', end).off('close', end);
      signal.removeEventListener('abort', abort);
      if (buffered.length > 0 && failure === undefined) socket.unshift(buffered);
    },
  };
}
