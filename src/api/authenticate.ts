import type { MiddlewareHandler } from 'hono';
import {
  createNonceMemory,
  daemonProof,
  homeProofHeader,
  homeProofMatches,
  instanceHeader,
  notAuthentic,
  proofHeader,
  requireFresh,
  type Verified,
  verifyRequest,
} from '../identity/index.ts';
import type { Caller } from '../principals/index.ts';
import { currentCaller } from '../principals/index.ts';
import type { AppEnv } from './app.ts';
import { readBody } from './body.ts';

export interface AuthenticateOptions {
  /** The secret in `server/daemon.json`. It proves to a caller that this daemon sent the response. New for each start. */
  readonly secret: Uint8Array;
  /** The public name of this start. */
  readonly instance: string;
  /** The https origin by which callers on other machines address this daemon. */
  readonly publicOrigin: string | undefined;
  readonly nowMs: () => number;
  readonly admit: (verified: Verified, isFromHome: boolean) => Promise<Caller>;
}

/**
 * Admits calls that are signed, fresh, made for this start of the daemon and not replayed, by known identities, and proves
 * to each caller that this daemon responds. A call for another start is refused: that one may have taken it already, and
 * its memory of nonces is gone. Times would not tell, since clocks are set back.
 */
export function authenticate(options: AuthenticateOptions): MiddlewareHandler<AppEnv> {
  const { secret, instance, publicOrigin, nowMs, admit } = options;
  const publicHost = publicOrigin === undefined ? undefined : new URL(publicOrigin).host;
  const nonces = createNonceMemory({ now: nowMs });

  return async (context, next) => {
    const body = await readBody(context);
    const url = new URL(context.req.url);
    const verified = verifyRequest({
      method: context.req.method,
      // What stands before this daemon ended the TLS that the caller signed for.
      origin: publicOrigin !== undefined && url.host === publicHost ? publicOrigin : url.origin,
      target: url.pathname + url.search,
      body,
      headers: context.req.header(),
    });
    const signature = context.req.header('signature') ?? '';
    // Only after verification: an impostor of this daemon could relay a proof for a signature made for the impostor.
    context.header(proofHeader, daemonProof(secret, signature));
    context.set('answers', signature);
    const freshUntilMs = requireFresh(verified, nowMs());
    const isFromHome = homeProofMatches(secret, signature, context.req.header(homeProofHeader) ?? '');
    if (!isFromHome && verified.instance !== instance) {
      context.header(instanceHeader, instance);
      throw notAuthentic('it was signed for another start of the daemon', 'Run the command again.');
    }
    const caller = await admit(verified, isFromHome);
    // After admission: anybody on the machine can sign calls, and those must not fill the memory.
    if (!nonces.remember(`${verified.did} ${verified.nonce}`, freshUntilMs)) {
      throw notAuthentic('it was seen before');
    }
    context.set('caller', caller);
    context.set('body', body);
    context.set('homeSecret', isFromHome ? secret : undefined);
    await currentCaller.run(caller, next);
  };
}
