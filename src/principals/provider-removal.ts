import type { RevokeReport } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import type { Caller } from './principals.ts';
import type { Tenant, Tenants } from './tenants.ts';

export interface ProviderRemoval {
  readonly outcome: 'removed' | 'reset';
  /** What was revoked and forgotten with it, for each vault that had something of it. */
  readonly ended: readonly RevokeReport[];
}

/**
 * Removes a definition that somebody registered. Where a bundled one takes its place, its connections stay. Elsewhere they
 * go along, in every vault, when `withConnections` says so; otherwise nothing is removed, and `ProviderInUse` names them.
 * The definition goes last, since its connections are revoked with it: a removal that was interrupted can be repeated.
 */
export async function removeProvider(
  tenants: Pick<Tenants, 'of' | 'openAll'>,
  caller: Caller,
  name: string,
  { withConnections }: { readonly withConnections: boolean },
): Promise<ProviderRemoval> {
  const { catalog } = await tenants.of(caller);
  const outcome = catalog.removal(name);
  if (outcome === undefined) {
    catalog.resolve(name);
    throw new AuthsomeError('OperationNotAllowed', `${name} is a bundled provider, which cannot be removed`, {
      hint: `To revoke and forget its connections: authsome revoke ${name}`,
    });
  }
  const owners = outcome === 'removed' ? await tenants.openAll() : [];
  const inUse = (await Promise.all(owners.map((owner) => connectionsAt(owner, name)))).flat();
  if (inUse.length > 0 && !withConnections) {
    throw new AuthsomeError('ProviderInUse', `${name} has connections: ${inUse.join(', ')}`, {
      hint: `To remove it with them, and revoke them where ${name} supports that: authsome remove ${name} --yes`,
    });
  }
  const ended = await Promise.all(owners.map(({ connections }) => connections.forget(name)));
  await catalog.remove(name);
  // A sign-in may have ended in between: without its definition, nobody would find its connection.
  await Promise.all(owners.map(({ connections }) => connections.forget(name)));
  return { outcome, ended: ended.filter(isAnything) };
}

async function connectionsAt({ connections }: Tenant, provider: string): Promise<readonly string[]> {
  return (await connections.summaries(provider)).map(({ name }) => name);
}

function isAnything({ connections, clientCleared }: RevokeReport): boolean {
  return connections.length > 0 || clientCleared;
}
