import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/**
 * Sees to it that a session which is destroyed lets go of its sockets. Node waits until its last write is taken, and reads
 * no more meanwhile: a peer that takes nothing, or has gone, would be held for good.
 */
export function hangUpInTime(session: Http2Session, sockets: readonly Socket[], lingerMs: number): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error, code) => {
    if (!session.destroyed) {
      const hangUp = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lingerMs).unref();
      session.once('close', () => clearTimeout(hangUp));
    }
    destroy(error, code);
  };
}
