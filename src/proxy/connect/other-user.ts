import { refuse } from '../decide/index.ts';

/** For a process of another user, which has read a run's proxy credentials somewhere, such as in an argument list. */
export const otherUser = refuse('PeerNotAllowed', 'this proxy belongs to another user of this machine');
