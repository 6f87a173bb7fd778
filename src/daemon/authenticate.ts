import type { MiddlewareHandler } from 'hono';
import {
  createNonceMemory,
  daemonProof,
  freshnessMs,
  proofHeader,
  type Verified,
  verifyRequest,
} from '../identity/index.ts';
import type { AppEnv } from './app.ts';
import { readBody } from './body.ts';
import { currentCaller } from './desks.ts';
import type { Caller } from './principals.ts';

export interface AuthenticateOptions {
  /** Of `server/daemon.json`: who can read it knows that the answer is ours. */
  readonly secret: Uint8Array;
  readonly nowMs: () => number;
  readonly startedAtMs: number;
  readonly admit: (verified: Verified) => Caller;
}

/** Lets signed, fresh and new calls of admitted identities through, and proves to each caller who answers. */
export function authenticate(options: AuthenticateOptions): MiddlewareHandler<AppEnv> {
  const { secret, nowMs, startedAtMs, admit } = options;
  const nonces = createNonceMemory({ now: nowMs });
  // What was signed before this process began may have been used up with the one before it.
  const earliestMs = Math.floor(startedAtMs / 1000) * 1000;
  const rememberNonce = (nonce: string, expiresAtMs: number): boolean =>
    expiresAtMs - freshnessMs >= earliestMs && nonces.remember(nonce, expiresAtMs);

  return async (context, next) => {
    const body = await readBody(context);
    const url = new URL(context.req.url);
    const verified = verifyRequest(
      {
        method: context.req.method,
        origin: url.origin,
        target: url.pathname + url.search,
        body,
        headers: context.req.header(),
      },
      { nowMs: nowMs(), rememberNonce },
    );
    // Only now: a proof for a signature that was not made for us could be passed on by whoever sits in our place
    // elsewhere.
    context.header(proofHeader, daemonProof(secret, context.req.header('signature') ?? ''));
    const caller = admit(verified);
    context.set('caller', caller);
    context.set('body', body);
    await currentCaller.run(caller, next);
  };
}
