import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** Node lets go of a session's streams a turn of the event loop after it: this is ample. */
const outliveMs = 1_000;

/**
 * Makes `destroy` let go of a session's sockets, and never take the process along. Node waits until the last write is
 * taken, and reads no more meanwhile: a peer that takes nothing, or has gone, would be held for good.
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
        // Held, since Node 24 takes the process down where it collects a session before a stream of it that was in the
        // middle of a header block.
        setTimeout((_held: unknown) => {}, outliveMs, native).unref();
      });
    }
    destroy(error, code);
  };
}

/** What Node frees a session's memory with. It is known by the name of its symbol alone, the same in Node 20, 22 and 24. */
export function nativePartOf(session: Http2Session): unknown {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
  return key === undefined ? undefined : Reflect.get(session, key);
}
