import type { ConnectionsOptions } from '../contract.ts';
import { connectionKey } from '../names.ts';
import type { Connection, ConnectionStore, NewConnection, OpenConnection } from '../records/index.ts';
import { revokeRemotely } from './revocations.ts';

/** What it takes to revoke a grant. */
interface ReplacementContext {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
}

/** How long another daemon waits where this one has died; nothing else waits for this. */
const leaseMs = 15_000;

/**
 * Revokes at the provider (RFC 7009) what a sign-in has replaced, beside everything else: the new connection is stored
 * and reported first, and neither waits for this nor fails with it. The audit trail has the result.
 */
export function revokeReplaced(
  context: ReplacementContext,
  replaced: OpenConnection | undefined,
  replacement: NewConnection,
): void {
  if (replaced?.secrets.accessToken === undefined) return;
  const { options } = context;
  // Under a lease, so that a daemon that stops waits for it.
  void options.vault
    .exclusively(`replaced/${replacement.signIn}`, leaseMs, () => takeBack(context, replaced, replacement))
    .catch(() => undefined);
}

async function takeBack(
  context: ReplacementContext,
  replaced: OpenConnection,
  replacement: NewConnection,
): Promise<void> {
  const { options, connections } = context;
  const { provider, name } = replaced.connection;
  const others = (await connections.list(provider)).filter((connection) => connection.name !== name);
  const sharer = [replacement, ...others].find((other) => mayShareGrant(replaced.connection, other));
  const detail =
    sharer === undefined
      ? `the earlier grant, at the provider: ${await revokeRemotely(options, replaced)}`
      : `the earlier grant was not revoked: it may be shared with ${connectionKey(provider, sharer.name)}`;
  options.notify({ event: 'connection.replaced', provider, connection: name, outcome: 'ok', detail });
}

/**
 * Whether revoking the tokens of one connection could end another one. RFC 7009 §2.1 leaves a server free to revoke
 * the whole authorization grant of a token, and what a grant is differs: at many (Google is one) there is a single one
 * for a person and a client, which a second consent only widens, so that the new tokens would die with the old ones.
 * Only another client, another server or an account that is known to be another rules that out.
 */
export function mayShareGrant(
  one: Pick<Connection, 'binding' | 'account'>,
  other: Pick<Connection, 'binding' | 'account'>,
): boolean {
  if (one.binding === undefined || other.binding === undefined) return false;
  if (one.binding.clientId !== other.binding.clientId) return false;
  if (new URL(one.binding.tokenUrl).origin !== new URL(other.binding.tokenUrl).origin) return false;
  return one.account === undefined || other.account === undefined || one.account === other.account;
}
