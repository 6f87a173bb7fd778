import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/**
 * Makes a session that is destroyed let go of its sockets in time. Node waits until the last write is taken and reads nothing
 * meanwhile, so a peer that takes nothing, or is gone, would be held for good.
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
