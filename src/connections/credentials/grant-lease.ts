import type { Vault } from '../../vault/index.ts';
import { connectionKey } from '../names.ts';

/** How long others wait after a holder died; a living one renews its lease while it works. */
const refreshLeaseMs = 15_000;

/** Runs `work` while nobody else, in this process or another, may spend or revoke the refresh token of a connection. */
export async function withGrant<Result>(
  vault: Vault,
  provider: string,
  name: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await vault.exclusively(`grant/${connectionKey(provider, name)}`, refreshLeaseMs, work);
}
