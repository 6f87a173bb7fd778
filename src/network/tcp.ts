import { connect, type Socket } from 'node:net';

/** How long an address may take to respond before the next one is tried beside it (RFC 8305 §5). */
const fallbackDelayMs = 250;

/**
 * A connection to the first of `addresses` that accepts it, with `noDelay` set. They are tried in order: the next one as
 * soon as one fails, or beside it when it is slow. Rejects with the first failure when all fail, and with the signal's
 * reason when it aborts; every other connection is closed.
 */
export function connectFirst(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const trying = new Set<Socket>();
    let next = 0;
    let firstFailure: Error | undefined;
    let timer: NodeJS.Timeout | undefined;

    const finish = (winner?: Socket): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      for (const socket of trying) if (socket !== winner) socket.destroy();
    };
    const abort = (): void => {
      finish();
      reject(signal.reason as Error);
    };
    const tryNext = (): void => {
      clearTimeout(timer);
      const address = addresses[next];
      if (address === undefined) return;
      next += 1;
      const socket = connect({ host: address, port, noDelay: true });
      trying.add(socket);
      socket.once('connect', () => {
        socket.removeAllListeners('error');
        finish(socket);
        resolve(socket);
      });
      socket.on('error', (error) => {
        firstFailure ??= error;
        if (!trying.delete(socket)) return;
        if (next < addresses.length) tryNext();
        else if (trying.size === 0) {
          finish();
          reject(firstFailure);
        }
      });
      if (next < addresses.length) timer = setTimeout(tryNext, fallbackDelayMs);
    };

    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    tryNext();
  });
}
