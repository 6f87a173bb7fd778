import type { Context, MiddlewareHandler } from 'hono';
import { AuthsomeError } from '../errors.ts';
import type { Peers } from '../peers/index.ts';
import type { AppEnv } from './app.ts';

export interface PeerGateOptions {
  readonly peers: Peers;
  /** Called for each request that is refused. */
  readonly onRefused: () => void;
}

/** Throws `PeerNotAllowed` for a request by another user of this machine. */
export async function requireAllowedPeer(
  context: Context<AppEnv>,
  { peers, onRefused }: PeerGateOptions,
): Promise<void> {
  const socket = context.env?.incoming?.socket;
  if (socket === undefined) return;
  const check = peers.check(socket, 'now');
  if (check.allowed ?? (await check.settled)) return;
  onRefused();
  throw new AuthsomeError('PeerNotAllowed', 'this daemon belongs to another user of this machine');
}

/** As `requireAllowedPeer`, in front of calls. */
export function peerGate(options: PeerGateOptions): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    await requireAllowedPeer(context, options);
    await next();
  };
}
