import { setTimeout as sleep } from 'node:timers/promises';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import { type RevocationOutcome, revokeTokens } from '../../oauth/index.ts';
import { tokenEndpoint } from '../clients/index.ts';
import type { ConnectionsOptions, LogoutReport, RevokeReport } from '../contract.ts';
import type { CredentialCache } from '../credentials/index.ts';
import { withGrant } from '../credentials/index.ts';
import { fetchTo } from '../discovery/index.ts';
import { connectionKey, connectionName } from '../names.ts';
import {
  type Connection,
  type ConnectionStore,
  findClient,
  forgetClients,
  hasClient,
  type OpenConnection,
} from '../records/index.ts';

export interface RevocationContext {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
  readonly cache: CredentialCache;
}

/**
 * Revokes every connection of a provider: its tokens there (RFC 7009), then forgets them and the client here. Returns the
 * outcome for each; nothing is left for `list`, `doctor` or a run to report. From the first moment on no credential of
 * theirs is handed out.
 */
export async function revokeProvider(context: RevocationContext, provider: string): Promise<RevokeReport> {
  const { options, connections } = context;
  const mine = await connections.list(provider);
  const remote: Record<string, RevocationOutcome> = {};
  await Promise.all(
    mine.map(async ({ name }) => {
      const clear = () => connections.remove(provider, name);
      remote[name] = await takeBack(context, { provider, name, kind: 'revoked', clear });
    }),
  );
  const clientCleared = await forgetClients(options.vault, provider);
  return { provider, connections: mine.map(({ name }) => name), remote, clientCleared };
}

/** Forgets what earlier versions kept of a revoked connection: a record without secrets that was reported for ever. */
export async function forgetRevoked(connections: ConnectionStore): Promise<void> {
  for (const { provider, name, state } of await connections.list()) {
    if ((state as string) === 'revoked') await connections.remove(provider, name);
  }
}

/** Forgets one connection, after revoking its tokens at the provider where that is supported. ConnectionNotFound. */
export async function logoutConnection(
  context: RevocationContext,
  provider: string,
  wanted: string | undefined,
): Promise<LogoutReport> {
  const { connections } = context;
  const mine = await connections.list(provider);
  const defaultName = await connections.defaultOf(provider, mine);
  const name = wanted === undefined ? defaultName : connectionName(wanted);
  if (name === undefined || !mine.some((connection) => connection.name === name)) {
    throw await nothingToEnd(context, provider, { name: wanted, others: mine });
  }
  const clear = () => connections.remove(provider, name);
  const remote = await takeBack(context, { provider, name, kind: 'removed', clear });
  const newDefault =
    name === defaultName
      ? await connections.defaultOf(provider, await connections.list(provider))
      : undefined;
  return { provider, connection: name, remote, newDefault };
}

/** One connection that ends, and how. */
interface Ending {
  readonly provider: string;
  readonly name: string;
  readonly kind: 'revoked' | 'removed';
  readonly clear: () => Promise<unknown>;
}

/** Revokes a connection's tokens at the provider, then `clear`s them here. */
async function takeBack(
  { options, connections, cache }: RevocationContext,
  { provider, name, kind, clear }: Ending,
): Promise<RevocationOutcome> {
  const connection = connectionKey(provider, name);
  const outcome = await cache.whileBlocked(connection, async () => {
    // Notified twice: now, so that live tunnels end at once, and when the vault says so too.
    connections.changed({ connection, kind });
    // Under the lease: a refresh under way has ended, and its newest token is the one revoked.
    return await withGrant(options.vault, provider, name, async () => {
      const open = await connections.find(provider, name);
      const remote = open === undefined ? 'unsupported' : await revokeRemotely(options, open);
      await clear();
      options.notify({
        event: `connection.${kind}`,
        provider,
        connection: name,
        outcome: 'ok',
        detail: `at the provider: ${remote}`,
      });
      return remote;
    });
  });
  connections.changed({ connection, kind });
  return outcome;
}

/**
 * Revokes the tokens of a connection at its provider, and returns the outcome. Never throws what the provider or the
 * network caused: that must not keep the secret here.
 */
export async function revokeRemotely(
  options: ConnectionsOptions,
  open: OpenConnection,
): Promise<RevocationOutcome> {
  const { binding } = open.connection;
  const { accessToken, refreshToken } = open.secrets;
  if (binding?.revocationUrl === undefined || accessToken === undefined) return 'unsupported';
  try {
    const provider = options.catalog.resolve(open.connection.provider, open.connection.baseUrl);
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
      pause: options.pause ?? sleep,
    });
  } catch (error) {
    if (error instanceof AuthsomeError) return 'unreachable';
    throw error;
  }
}

/**
 * The error for a connection that is not there to be ended. Whoever asked wants out, so its hint names what can be ended
 * and no sign-in. ProviderNotFound where not even the provider exists.
 */
export async function nothingToEnd(
  { options }: Pick<RevocationContext, 'options'>,
  provider: string,
  { name, others = [] }: { readonly name?: string | undefined; readonly others?: readonly Connection[] } = {},
): Promise<AuthsomeError> {
  const hint = await whatCanBeEnded(options, provider, others);
  // A misspelled provider gets an error that says so.
  if (others.length === 0) options.catalog.resolve(provider);
  const what = name === undefined ? `no connection to ${provider}` : `no connection ${provider}/${name}`;
  return new AuthsomeError('ConnectionNotFound', `there is ${what}`, { hint });
}

async function whatCanBeEnded(
  { vault }: ConnectionsOptions,
  provider: string,
  others: readonly Connection[],
): Promise<string> {
  if (others.length > 0)
    return `Connected: ${others.map((other) => connectionKey(provider, other.name)).join(', ')}`;
  if (await hasClient(vault, provider))
    return `To clear its OAuth client: authsome revoke ${shellWord(provider)}`;
  return 'Nothing of it is stored here. To see what is: authsome list';
}
