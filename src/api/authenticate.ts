import type { MiddlewareHandler } from 'hono';
import { AuthsomeError } from '../errors.ts';
import {
  createNonceMemory,
  daemonProof,
  freshnessMs,
  homeProofHeader,
  homeProofMatches,
  proofHeader,
  type Verified,
  verifyRequest,
} from '../identity/index.ts';
import type { Caller } from '../principals/index.ts';
import { currentCaller } from '../principals/index.ts';
import type { AppEnv } from './app.ts';
import { readBody } from './body.ts';

export interface AuthenticateOptions {
  /** The secret in `server/daemon.json`. It proves to a caller that this daemon sent the response. */
  readonly secret: Uint8Array;
  readonly nowMs: () => number;
  readonly startedAtMs: number;
  readonly admit: (verified: Verified, isFromHome: boolean) => Promise<Caller>;
}

/**
 * Admits calls that are signed, fresh and not replayed, by known identities, and proves to each caller that this daemon
 * responds.
 */
export function authenticate(options: AuthenticateOptions): MiddlewareHandler<AppEnv> {
  const { secret, nowMs, startedAtMs, admit } = options;
  const nonces = createNonceMemory({ now: nowMs });
  // A call that was signed before this process started may already have been made to the previous one.
  const earliestMs = Math.floor(startedAtMs / 1000) * 1000;

  return async (context, next) => {
    const body = await readBody(context);
    const url = new URL(context.req.url);
    let isNew = (): boolean => false;
    const verified = verifyRequest(
      {
        method: context.req.method,
        origin: url.origin,
        target: url.pathname + url.search,
        body,
        headers: context.req.header(),
      },
      {
        nowMs: nowMs(),
        rememberNonce(nonce, expiresAtMs) {
          isNew = () => nonces.remember(nonce, expiresAtMs);
          return expiresAtMs - freshnessMs >= earliestMs;
        },
      },
    );
    const signature = context.req.header('signature') ?? '';
    // Only after verification: an impostor of this daemon could relay a proof for a signature made for the impostor.
    const prove = (): void => context.header(proofHeader, daemonProof(secret, signature));
    const homeProof = context.req.header(homeProofHeader) ?? '';
    let caller: Caller;
    try {
      caller = await admit(verified, homeProofMatches(secret, signature, homeProof));
    } catch (error) {
      prove();
      throw error;
    }
    // After admission: anybody on the machine can sign calls, and those must not fill the memory.
    if (!isNew()) {
      throw new AuthsomeError('RequestNotAuthentic', 'the request is not authentic: it was seen before');
    }
    prove();
    context.set('caller', caller);
    context.set('body', body);
    await currentCaller.run(caller, next);
  };
}
