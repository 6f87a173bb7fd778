import { type Call, type Endpoint, NotReached, type Signer, send } from './exchange.ts';
import type { DaemonRecord } from './wire.ts';

/** How long a local daemon may be silent before it counts as hanging. */
export const probeIdleMs = 10_000;

export function endpointOf(record: DaemonRecord): Endpoint {
  return { origin: record.url, secret: Buffer.from(record.secret, 'base64url'), roots: [] };
}

/** What is at the address that the record names: this home's daemon, nothing, or another process. */
export async function probe(record: DaemonRecord, signer: Signer): Promise<'ours' | 'absent' | 'stranger'> {
  const call: Call = { method: 'GET', target: '/v1/whoami', idleMs: probeIdleMs };
  try {
    const response = await send(endpointOf(record), signer, call);
    response.resume();
    return 'ours';
  } catch (error) {
    if (error instanceof NotReached) return error.who === 'absent' ? 'absent' : 'stranger';
    throw error;
  }
}
