import type { PeerCheck } from '../../peers/index.ts';
import type { RequestRecord } from '../authorize/index.ts';
import { refuse } from '../decide/index.ts';
import type { Http1Session } from '../http1-relay/index.ts';

/** For a process of another user, which has read a run's proxy credentials somewhere, such as in an argument list. */
export const otherUser = refuse('PeerNotAllowed', 'this proxy belongs to another user of this machine');

/** Calls `answer`, a refusal, once it is known whose process asks. Another user gets no other answer than `otherUser`. */
export function refuseOnceKnown(
  session: Http1Session,
  peer: PeerCheck,
  record: RequestRecord,
  answer: () => void,
): void {
  if (peer.allowed === undefined) {
    void peer.settled.then(() => {
      if (!session.closed) session.guard(() => refuseOnceKnown(session, peer, record, answer));
    });
    return;
  }
  if (peer.allowed) answer();
  else session.refuse(record.refuse(otherUser));
}
