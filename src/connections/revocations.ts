import { AuthsomeError } from '../errors.ts';
import { revokeTokens } from '../oauth/index.ts';
import { findClient, forgetClients } from './client-record.ts';
import { type Connection, writeConnection } from './connection-record.ts';
import { withGrant } from './connection-refresh.ts';
import { type ConnectionStore, connectionNotFound, type OpenConnection } from './connection-store.ts';
import type { CredentialCache } from './credential-cache.ts';
import { requireProvider } from './definitions.ts';
import { fetchTo, tokenEndpoint } from './endpoints.ts';
import { connectionKey } from './names.ts';
import type { ConnectionsOptions, LogoutReport, RevokeReport } from './ports.ts';

type Remote = RevokeReport['remote'][string];

/**
 * What became of every connection of a provider: its tokens taken back there (RFC 7009), then cleared here, and the
 * client forgotten. From the first moment on no credential of theirs is handed out.
 */
export async function revokeProvider(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  cache: CredentialCache,
  provider: string,
): Promise<RevokeReport> {
  const mine = await connections.list(provider);
  const remote: Record<string, Remote> = {};
  await Promise.all(
    mine.map(async ({ name }) => {
      remote[name] = await revokeOne(options, connections, cache, provider, name);
    }),
  );
  const clientCleared = await forgetClients(options.vault, provider);
  if (mine.length === 0 && !clientCleared) throw connectionNotFound(provider);
  return { provider, connections: mine.map(({ name }) => name), remote, clientCleared };
}

async function revokeOne(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  cache: CredentialCache,
  provider: string,
  name: string,
): Promise<Remote> {
  const connection = connectionKey(provider, name);
  const outcome = await cache.whileBlocked(connection, async () => {
    // Told twice: now, so that live tunnels end at once, and when the vault says so too.
    connections.changed({ connection, kind: 'revoked' });
    // Under the lease: a refresh under way has ended, and its newest token is the one taken back.
    return await withGrant(options.vault, provider, name, async () => {
      const open = await connections.find(provider, name);
      const remote = open === undefined ? 'unsupported' : await revokeRemotely(options, open);
      await clearTokens(options, connections, provider, name);
      options.notify({
        event: 'connection.revoked',
        provider,
        connection: name,
        outcome: 'ok',
        detail: `at the provider: ${remote}`,
      });
      return remote;
    });
  });
  connections.changed({ connection, kind: 'revoked' });
  return outcome;
}

/** Forgets one connection, telling the provider first where it takes tokens back. ConnectionNotFound. */
export async function logoutConnection(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  cache: CredentialCache,
  provider: string,
  wanted: string | undefined,
): Promise<LogoutReport> {
  const { name } = (await connections.open(provider, wanted)).connection;
  const connection = connectionKey(provider, name);
  const outcome = await cache.whileBlocked(connection, async () => {
    connections.changed({ connection, kind: 'removed' });
    return await withGrant(options.vault, provider, name, async () => {
      const open = await connections.find(provider, name);
      const remote = open === undefined ? 'unsupported' : await revokeRemotely(options, open);
      await connections.remove(provider, name);
      options.notify({
        event: 'connection.removed',
        provider,
        connection: name,
        outcome: 'ok',
        detail: `at the provider: ${remote}`,
      });
      return remote;
    });
  });
  connections.changed({ connection, kind: 'removed' });
  return { provider, connection: name, remote: outcome };
}

/** What became of the tokens of a connection at its provider. Never throws: what cannot be told to the provider must not keep the secret here. */
export async function revokeRemotely(options: ConnectionsOptions, open: OpenConnection): Promise<Remote> {
  const { binding } = open.connection;
  const { accessToken, refreshToken } = open.secrets;
  if (binding?.revocationUrl === undefined || accessToken === undefined) return 'unsupported';
  try {
    const provider = requireProvider(options.catalog, open.connection.provider, open.connection.baseUrl);
    const known = await findClient(options.vault, provider, binding, binding.clientId);
    const client =
      known?.clientId === binding.clientId
        ? known
        : {
            clientId: binding.clientId,
            clientSecret: undefined,
            authMethod: undefined,
            origin: 'person' as const,
          };
    const endpoint = tokenEndpoint(provider, binding.tokenUrl, client);
    const { revocationUrl } = binding;
    return await revokeTokens(fetchTo(options, binding), {
      ...endpoint,
      revocationUrl,
      accessToken,
      refreshToken,
    });
  } catch (error) {
    if (error instanceof AuthsomeError) return 'unreachable';
    throw error;
  }
}

async function clearTokens(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  provider: string,
  name: string,
): Promise<void> {
  for (;;) {
    const open = await connections.find(provider, name);
    if (open === undefined) return;
    const cleared: Connection = { ...open.connection, state: 'revoked', refreshable: false };
    if ((await writeConnection(options.vault, cleared, {}, open.connection.version)) !== undefined) return;
  }
}
