import type { ConnectionDetails, ConnectionSummary, ConnectionsOptions, ExportReport } from './contract.ts';
import type { CredentialCache } from './credentials/index.ts';
import { connectionKey } from './names.ts';
import { type Connection, type ConnectionStore, type OpenConnection, summaryOf } from './records/index.ts';

/** What it takes to report on connections. */
export interface ConnectionContext {
  readonly options: ConnectionsOptions;
  readonly store: ConnectionStore;
  readonly cache: CredentialCache;
}

/** Every connection, by provider and name; of one provider when it is named. */
export async function listSummaries(
  { options, store }: ConnectionContext,
  provider: string | undefined,
): Promise<readonly ConnectionSummary[]> {
  const connections = await store.list(provider);
  const summaries: ConnectionSummary[] = [];
  for (const name of new Set(connections.map((connection) => connection.provider))) {
    const mine = connections.filter((connection) => connection.provider === name);
    const defaultName = await store.defaultOf(name, mine);
    for (const connection of mine) {
      summaries.push(summaryOf(connection, connection.name === defaultName, options.nowMs()));
    }
  }
  return summaries;
}

export async function readSummary(
  { options, store }: ConnectionContext,
  connection: Connection,
): Promise<ConnectionSummary> {
  const { provider, name } = connection;
  const defaultName = await store.defaultOf(provider, await store.list(provider));
  return summaryOf(connection, name === defaultName, options.nowMs());
}

/** One connection with its secrets, or with `***` for each. Secrets that are shown work now, and that is an audit event. */
export async function readDetails(
  context: ConnectionContext,
  provider: string,
  wanted: string | undefined,
  showSecret: boolean,
): Promise<ConnectionDetails> {
  const { options, store } = context;
  const { connection, secrets } = showSecret
    ? await openLive(context, provider, wanted)
    : await store.open(provider, wanted);
  if (showSecret) {
    options.notify({ event: 'secret.revealed', provider, connection: connection.name, outcome: 'ok' });
  }
  // What programs get again is of no use to a person.
  const { answer: _answer, clientSecret: _clientSecret, ...tokens } = secrets;
  const shown = showSecret ? tokens : Object.fromEntries(Object.keys(tokens).map((field) => [field, '***']));
  return { ...(await readSummary(context, connection)), ...shown };
}

/** The connection after the refresh that may have been due. */
async function openLive(
  { store, cache }: ConnectionContext,
  provider: string,
  wanted: string | undefined,
): Promise<OpenConnection> {
  const open = await store.open(provider, wanted);
  const { name } = open.connection;
  await cache.acquire(connectionKey(provider, name));
  return await store.open(provider, name);
}

/** The environment variables that the definition names, with live secrets. An audit event. */
export async function exportVariables(
  { options, store, cache }: ConnectionContext,
  provider: string,
  wanted: string | undefined,
): Promise<ExportReport> {
  const { connection } = await store.open(provider, wanted);
  const definition = options.catalog.resolve(provider, connection.baseUrl);
  const { secret } = await cache.acquire(connectionKey(provider, connection.name));
  const kind = connection.authType === 'api_key' ? 'api_key' : 'access_token';
  const named = definition.exportVariables.filter(({ value }) => value === kind);
  // A service that takes a key in its token's place has variables for one of the two only.
  const variables = Object.fromEntries(
    (named.length > 0 ? named : definition.exportVariables).map(({ name }) => [name, secret]),
  );
  options.notify({ event: 'secret.exported', provider, connection: connection.name, outcome: 'ok' });
  return { provider, connection: connection.name, variables };
}
