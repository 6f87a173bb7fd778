import type { MiddlewareHandler } from 'hono';
import { contentDigest, type Identity, signResponse } from '../identity/index.ts';
import type { AppEnv } from './app.ts';

/** How callers on other machines reach the daemon, and know it. */
export interface PublicAddress {
  /** An https origin. */
  readonly origin: string;
  /** The daemon's long-lived key. */
  readonly key: Identity;
}

/**
 * Signs the responses to authentic calls from other machines, which do not know this home's secret. A response without
 * an end, such as a run's lease, is covered without its body.
 */
export function signResponses(options: {
  readonly address: PublicAddress;
  readonly instance: string;
  readonly nowMs: () => number;
}): MiddlewareHandler<AppEnv> {
  const { address, instance, nowMs } = options;
  const { host } = new URL(address.origin);
  return async (context, next) => {
    await next();
    const answers = context.get('answers');
    if (answers === undefined || context.req.header('host') !== host) return;
    const { res } = context;
    const isStream = res.headers.get('transfer-encoding') === 'chunked';
    const digest = isStream ? undefined : contentDigest(new Uint8Array(await res.clone().arrayBuffer()));
    const response = { status: res.status, digest, instance, answers };
    for (const [name, value] of Object.entries(signResponse(address.key, response, nowMs()))) {
      res.headers.set(name, value);
    }
  };
}
