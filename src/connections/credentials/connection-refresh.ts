import { AuthsomeError } from '../../errors.ts';
import { clientSecrets, readRefreshResponse } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import { expiryOf, renewedTemplate } from '../answers/index.ts';
import { clientHint, tokenEndpoint } from '../clients/index.ts';
import type { ConnectionsOptions, ProviderCatalog } from '../contract.ts';
import { fetchTo } from '../discovery/index.ts';
import { connectionKey } from '../names.ts';
import {
  type Connection,
  type ConnectionSecrets,
  type ConnectionStore,
  connectionFrom,
  connectionNotFound,
  doubtClient,
  findClient,
  isRefusedRegistration,
  type KnownClient,
  type OpenConnection,
  secretsFrom,
  secretsOf,
  type TokenBinding,
  writeConnection,
} from '../records/index.ts';
import { connectionLine } from '../sign-in-command.ts';
import { withGrant } from './grant-lease.ts';
import type { RefreshOf } from './grant-refresh.ts';
import { cannotRefresh, requireConnected, signInAgain } from './unusable-connection.ts';

/**
 * Grants that the vault could not store (a full disk, a locked database), by connection. They are kept while the
 * process lives, and stored before the provider is asked again.
 */
export type UnstoredGrants = Map<string, OpenConnection>;

export interface RefreshContext {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
  readonly unstored: UnstoredGrants;
  readonly refreshOf: RefreshOf;
  /** Called before a failure for which the provider wants to be left alone. */
  readonly onRetryAfter?: (ms: number) => void;
}

/**
 * The connection after one refresh, or after another process refreshed it since version `seen`. Rejects with
 * ConnectionNotFound, CredentialMissing, CredentialExpired (only a new sign-in helps), RefreshFailed or
 * EndpointUnreachable (may work later).
 *
 * What the provider grants is stored before it is used. Between its response and the end of that one write is the only
 * moment in which a crash can lose a rotated refresh token; no protocol closes it, a local write keeps it short.
 */
export async function refreshConnection(
  context: RefreshContext,
  provider: string,
  name: string,
  seen: number,
): Promise<OpenConnection> {
  const { options } = context;
  return await withGrant(options.vault, provider, name, async () => {
    const current = await context.connections.find(provider, name);
    if (current === undefined) throw connectionNotFound(provider, name);
    if (current.connection.version !== seen) {
      requireConnected(options.catalog, current.connection);
      return current;
    }
    const unstored = context.unstored.get(connectionKey(provider, name));
    if (unstored?.connection.version === seen) return await storeGrant(context, unstored);
    return await refreshNow(context, current);
  });
}

async function refreshNow(context: RefreshContext, current: OpenConnection): Promise<OpenConnection> {
  const { options, connections } = context;
  const { connection, secrets } = current;
  requireConnected(options.catalog, connection);
  const refresh = context.refreshOf(connection.flow);
  const isRefreshable = connection.refreshable && refresh?.isPossible(secrets) === true;
  if (connection.binding === undefined || !isRefreshable) throw cannotRefresh(options.catalog, connection);
  const provider = options.catalog.resolve(connection.provider, connection.baseUrl);
  const { binding } = connection;
  const client =
    programClient(provider, binding, secrets) ??
    (await findClient(options.vault, provider, binding, binding.clientId));
  if (client === undefined || client.clientId !== binding.clientId) {
    throw new AuthsomeError(
      'CredentialExpired',
      `the OAuth client for ${keyOf(connection)} is no longer stored`,
      {
        hint: signInAgain(options.catalog, connection),
      },
    );
  }
  const sentAtMs = options.nowMs();
  const fetch = fetchTo(options, binding);
  const endpoint = tokenEndpoint(provider, binding.tokenUrl, client);
  const { scopeSeparator = ' ' } = provider.oauth ?? {};
  const reply = await refresh.request(fetch, { endpoint, connection, secrets, scopeSeparator });
  const { refreshToken } = secrets;
  const result = readRefreshResponse(reply, {
    provider: provider.name,
    requestedScopes: connection.scopes,
    sentAtMs,
    signInAgain: signInAgain(options.catalog, connection),
    signIn: connectionLine(options.catalog, connection, {}),
    clientHint: clientHint(provider, client, connectionLine(options.catalog, connection)),
    secrets: [
      refreshToken,
      encodeURIComponent(refreshToken ?? ''),
      secrets.accessToken,
      ...clientSecrets(client),
    ],
  });
  if (result.kind === 'failed') {
    if (result.retryAfterMs !== undefined) context.onRetryAfter?.(result.retryAfterMs);
    if (isRefusedRegistration(result, client))
      await doubtClient(options.vault, provider, client.clientId, 'refused');
    throw result.error;
  }
  if (result.kind === 'dead') return await afterDeadGrant(options, connections, connection, result.error);
  const { tokens } = result;
  const { capture } = provider;
  const expiresAtMs = tokens.expiresAtMs ?? (capture && expiryOf(tokens.accessToken));
  const refreshed: Connection = { ...connection, scopes: tokens.scopes, expiresAtMs, obtainedAtMs: sentAtMs };
  const answer = capture && renewedTemplate(capture, secrets.answer, reply);
  const renewed = secretsOf(tokens, refreshToken);
  const grant = {
    connection: refreshed,
    secrets: {
      ...renewed,
      ...(answer === undefined ? {} : { answer }),
      ...(secrets.clientSecret === undefined ? {} : { clientSecret: secrets.clientSecret }),
    },
  };
  return await storeGrant(context, grant, tokens.remark);
}

/** A program's own client, which is public (RFC 6749 §2.1); a later version of the program may have another one. */
function programClient(
  { name, capture, oauth }: Provider,
  { clientId }: TokenBinding,
  { clientSecret }: ConnectionSecrets,
): KnownClient | undefined {
  if (capture === undefined) return undefined;
  const isMissing = clientSecret === undefined && oauth?.tokenEndpointAuthMethod === 'client_secret_post';
  if (isMissing) {
    const message = `the tokens of ${name} are renewed once its program has asked for that`;
    throw new AuthsomeError('RefreshFailed', message, { hint: 'Start the program in a run.' });
  }
  const authMethod = clientSecret === undefined ? 'none' : 'client_secret_post';
  return { clientId, clientSecret, authMethod, origin: 'definition' };
}

/** Stores a grant over the version it came from; should that fail, it is kept for the next try. */
async function storeGrant(
  context: RefreshContext,
  grant: OpenConnection,
  remark?: string,
): Promise<OpenConnection> {
  const { options, connections, unstored } = context;
  const { connection, secrets } = grant;
  const key = keyOf(connection);
  unstored.set(key, grant);
  const written = await writeConnection(options.vault, connection, secrets, connection.version);
  unstored.delete(key);
  if (written === undefined) return await refreshedElsewhere(options.catalog, connections, connection);
  options.notify({
    event: 'token.refreshed',
    provider: connection.provider,
    connection: connection.name,
    outcome: 'ok',
    ...(remark === undefined ? {} : { detail: remark }),
  });
  return { connection: connectionFrom(written), secrets: secretsFrom(written) };
}

/** `invalid_grant` may only mean that another process was quicker: what is stored now decides. */
async function afterDeadGrant(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  connection: Connection,
  error: AuthsomeError,
): Promise<OpenConnection> {
  const now = await connections.find(connection.provider, connection.name);
  if (now !== undefined && now.connection.version === connection.version) {
    const dead = { ...connection, state: 'invalid' as const, refreshable: false };
    const written = await writeConnection(options.vault, dead, {}, connection.version);
    if (written !== undefined) throw error;
  }
  return await refreshedElsewhere(options.catalog, connections, connection);
}

async function refreshedElsewhere(
  catalog: ProviderCatalog,
  connections: ConnectionStore,
  mine: Connection,
): Promise<OpenConnection> {
  const theirs = await connections.find(mine.provider, mine.name);
  if (theirs === undefined) throw connectionNotFound(mine.provider, mine.name);
  requireConnected(catalog, theirs.connection);
  return theirs;
}

function keyOf(connection: Connection): string {
  return connectionKey(connection.provider, connection.name);
}
