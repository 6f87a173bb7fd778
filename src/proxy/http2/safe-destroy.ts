import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** Node frees a session's streams one turn of the event loop after the session: this is ample. */
const outliveMs = 1_000;

/**
 * Makes `destroy` close a session's sockets without crashing the process. Node waits until the last write is accepted and
 * reads nothing until then, so a peer that accepts nothing, or has vanished, would be held for good.
 */
export function makeDestroySafe(session: Http2Session, sockets: readonly Socket[], lingerMs: number): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error, code) => {
    if (!session.destroyed) {
      const hangUp = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lingerMs).unref();
      const native = nativePartOf(session);
      session.once('close', () => {
        clearTimeout(hangUp);
        // Held, since Node 24 crashes when it collects a session before a stream whose header block was incomplete.
        setTimeout((_held: unknown) => {}, outliveMs, native).unref();
      });
    }
    destroy(error, code);
  };
}

/** The handle that frees a session's memory. Only its symbol's name is known, the same in Node 20, 22 and 24. */
export function nativePartOf(session: Http2Session): unknown {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
  return key === undefined ? undefined : Reflect.get(session, key);
}
