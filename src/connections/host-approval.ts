import { AuthsomeError } from '../errors.ts';
import {
  type ApprovedHosts,
  definedHosts,
  hostsChange,
  type Provider,
  unapprovedHosts,
} from '../providers/index.ts';
import type { ConnectionContext } from './connection-reports.ts';
import type { ConnectionSummary, ConnectionsOptions, HostsReport, ProviderCatalog } from './contract.ts';
import { withGrant } from './credentials/index.ts';
import { connectionKey } from './names.ts';
import {
  type Connection,
  type ConnectionStore,
  connectionNotFound,
  writeConnection,
} from './records/index.ts';

type OfConnection = Pick<ConnectionSummary, 'provider' | 'baseUrl' | 'approved'>;

/** The hosts that a connection's definition has gained since they were approved; none where there is no definition. */
export function hostsToApprove(catalog: ProviderCatalog, connection: OfConnection): readonly string[] {
  const provider = definitionOf(catalog, connection);
  return provider === undefined ? [] : unapprovedHosts(provider, connection.approved);
}

/** The hosts of the named connection, else of the default one: those that are approved, and those of its definition. */
export async function readHosts(
  { options, store }: ConnectionContext,
  provider: string,
  wanted: string | undefined,
): Promise<HostsReport> {
  const { connection } = await store.open(provider, wanted);
  return reportOn(options.catalog.resolve(provider, connection.baseUrl), connection);
}

/**
 * Approves the hosts of the connection's definition, which must be exactly `hosts`: those that a person has seen. Runs have
 * them at once. An audit event.
 */
export async function approveHosts(
  context: ConnectionContext,
  provider: string,
  wanted: string | undefined,
  hosts: readonly string[],
): Promise<HostsReport> {
  const { options, store, cache } = context;
  const { connection } = await store.open(provider, wanted);
  const { name } = connection;
  const key = connectionKey(provider, name);
  // A grant that could not be stored belongs to the version before this one.
  if (cache.hasUnstored(key)) await cache.refreshAhead(key, connection.version);
  const definition = options.catalog.resolve(provider, connection.baseUrl);
  const approved = definedHosts(definition);
  if (!isSame(approved.hosts, hosts)) {
    throw new AuthsomeError('OperationNotAllowed', `the definition of ${provider} has changed meanwhile`, {
      hint: 'Run the command again, and look at the hosts.',
    });
  }
  const before = await rewrite(options, store, { provider, name }, () => approved);
  if (before === undefined) throw connectionNotFound(provider, name);
  options.notify({
    event: 'connection.hosts_approved',
    provider,
    connection: name,
    outcome: 'ok',
    detail: hostsChange(before.approved, approved),
  });
  store.changed({ connection: key, kind: 'hosts_approved' });
  return reportOn(definition, before);
}

/**
 * Approves the present hosts of connections that were made before hosts were kept. A version that keeps them cannot tell what
 * they were; to ask about each of them would teach people to say yes. Without a definition there is nothing to approve.
 */
export async function approveOldConnections(
  options: ConnectionsOptions,
  store: ConnectionStore,
): Promise<void> {
  for (const connection of await store.list()) {
    if (connection.approved !== undefined) continue;
    await rewrite(options, store, connection, (newest) => {
      const definition = definitionOf(options.catalog, newest);
      return newest.approved ?? (definition === undefined ? none : definedHosts(definition));
    });
  }
}

const none: ApprovedHosts = { source: 'custom', hosts: [] };

/** Returns the connection as it was; `undefined` when there is none. Under its lease: a refresh writes over nothing newer. */
async function rewrite(
  { vault }: ConnectionsOptions,
  store: ConnectionStore,
  { provider, name }: Pick<Connection, 'provider' | 'name'>,
  approvedOf: (connection: Connection) => ApprovedHosts,
): Promise<Connection | undefined> {
  return await withGrant(vault, provider, name, async () => {
    for (;;) {
      const open = await store.find(provider, name);
      if (open === undefined) return undefined;
      const { connection, secrets } = open;
      const next = { ...connection, approved: approvedOf(connection) };
      if ((await writeConnection(vault, next, secrets, connection.version)) !== undefined) return connection;
    }
  });
}

function reportOn(definition: Provider, { provider, name, approved }: Connection): HostsReport {
  return {
    provider,
    connection: name,
    before: approved?.hosts ?? [],
    after: definedHosts(definition).hosts,
    added: unapprovedHosts(definition, approved),
  };
}

/** `undefined` for a definition that is missing, malformed, or has no place for the connection's address. */
function definitionOf(
  catalog: ProviderCatalog,
  { provider, baseUrl }: Pick<OfConnection, 'provider' | 'baseUrl'>,
): Provider | undefined {
  try {
    return catalog.find(provider, baseUrl === undefined ? {} : { baseUrl });
  } catch (error) {
    if (error instanceof AuthsomeError) return undefined;
    throw error;
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((host) => others.includes(host));
}
