import { rememberWaits, type ScopeFields } from '../oauth/index.ts';
import { type Adopted, type AdoptionRequest, adopt } from './adoption/index.ts';
import { createProgramSignIns, type ProgramSignIns, programPhantoms } from './capture/index.ts';
import { compareSecrets } from './comparison.ts';
import {
  type ConnectionContext,
  exportVariables,
  listSummaries,
  readDetails,
  readSummary,
} from './connection-reports.ts';
import type {
  Comparison,
  ConnectionChange,
  ConnectionDetails,
  ConnectionSummary,
  ConnectionsOptions,
  ExportReport,
  HostsReport,
  LogoutReport,
  RecognizedSecret,
  RevokeReport,
  SignIns,
} from './contract.ts';
import type { CredentialSource } from './credentials/index.ts';
import { createCredentialCache, type RefreshSchedule, startRefreshSchedule } from './credentials/index.ts';
import { approveHosts, approveOldConnections, hostsToApprove, readHosts } from './host-approval.ts';
import { connectionKey, connectionName } from './names.ts';
import { createDurablePhantoms, type DurablePhantoms } from './phantoms/index.ts';
import { recognizeSecrets } from './recognition.ts';
import { createConnectionStore, trackExchanges } from './records/index.ts';
import {
  forgetRevoked,
  logoutConnection,
  nothingToEnd,
  type RevocationContext,
  revokeProvider,
} from './revocation/index.ts';
import { type ScopeAdvice, scopeAdvice } from './scope-advice.ts';
import { allFlows, createSignIns, type FlowTable, refreshOf } from './sign-in/index.ts';
import { connectionLine } from './sign-in-command.ts';

/** Everything that can be done with the connections of one vault. */
export interface Connections {
  readonly signIns: SignIns;
  readonly credentials: CredentialSource;
  readonly phantoms: DurablePhantoms;
  /** Programs that sign in by themselves. */
  readonly programs: ProgramSignIns;
  /** Every connection, by provider and name; of one provider when it is named. */
  summaries(provider?: string): Promise<readonly ConnectionSummary[]>;
  /**
   * The named connection, else the default one. Secrets that are shown work now (else as for a credential), and
   * showing them is an audit event. ConnectionNotFound.
   */
  read(
    provider: string,
    connection: string | undefined,
    options: { readonly showSecret: boolean },
  ): Promise<ConnectionDetails>;
  setDefault(provider: string, connection: string): Promise<ConnectionSummary>;
  /** Forgets one connection, and revokes its tokens at the provider where that is supported. ConnectionNotFound. */
  logout(provider: string, connection?: string): Promise<LogoutReport>;
  /** Revokes and forgets every connection of a provider, and its client. ConnectionNotFound where there is neither. */
  revoke(provider: string): Promise<RevokeReport>;
  /** As `revoke`, before the provider itself goes: nothing to forget is no failure. */
  forget(provider: string): Promise<RevokeReport>;
  /** Takes over a program's own sign-in. See `adoption/`. */
  adopt(request: AdoptionRequest, options: { readonly onlyPrepare: boolean }): Promise<Adopted>;
  /** The environment variables that the definition names, with live secrets. An audit event. */
  exportVariables(provider: string, connection?: string): Promise<ExportReport>;
  /** For each value whether a connection of the provider has it. An audit event, without any value. */
  compare(provider: string, values: readonly string[]): Promise<readonly Comparison[]>;
  /** Which of these fingerprints match a secret of the vault. Records an audit event if one does, without any value. */
  recognize(
    fingerprintOf: (secret: string) => string,
    wanted: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, RecognizedSecret>>;
  /** What a service's refusal of a request with this connection's credential (`provider/connection`) says about scopes. */
  scopeAdvice(connection: string, response: ScopeFields): ScopeAdvice | undefined;
  /** The command that replaces a connection by a new sign-in. */
  signInAgain(connection: ConnectionSummary): string;
  /** The hosts that its definition has gained since a person approved them: nothing is sent there. */
  hostsToApprove(connection: ConnectionSummary): readonly string[];
  /** The hosts of the named connection, else of the default one. ConnectionNotFound. */
  hosts(provider: string, connection?: string): Promise<HostsReport>;
  /** Approves the definition's hosts, if they are still these. An audit event. OperationNotAllowed, ConnectionNotFound. */
  approveHosts(
    provider: string,
    connection: string | undefined,
    hosts: readonly string[],
  ): Promise<HostsReport>;
  /** Called synchronously, before any credential of a revoked connection could be handed out again. */
  onChange(listener: (change: ConnectionChange) => void): () => void;
  /** Takes up sign-ins that a stopped daemon left behind, and refreshes ahead of expiry from then on. */
  start(): Promise<void>;
  /** Begins nothing new that could lose a grant, and resolves when what is under way has been stored. */
  close(): Promise<void>;
}

export function createConnections(given: ConnectionsOptions, flows: FlowTable = allFlows): Connections {
  const exchanges = trackExchanges(given.vault);
  const waits = given.waits ?? rememberWaits(given.nowMs);
  const store = createConnectionStore(exchanges.vault, given.catalog);
  const phantoms = createDurablePhantoms({ ...given, vault: exchanges.vault }, store);
  const isPhantom = (value: string): boolean => phantoms.has(value) || given.isPhantom?.(value) === true;
  const options = { ...given, waits, vault: exchanges.vault, isPhantom };
  const cache = createCredentialCache(options, store, refreshOf(flows));
  // What was cached from the old state is gone before any other listener is called.
  store.onChange(({ connection, kind }) => {
    if (kind === 'connected' || kind === 'revoked' || kind === 'removed') cache.drop(connection);
    if (kind === 'connected') schedule?.wake();
  });
  phantoms.onMade((connection) => store.changed({ connection, kind: 'phantom_made' }));
  const signIns = createSignIns(options, store, flows);
  let schedule: RefreshSchedule | undefined;

  const context: ConnectionContext = { options, store, cache };
  const ending: RevocationContext = { options, connections: store, cache };

  return {
    signIns,
    credentials: cache,
    phantoms,
    programs: createProgramSignIns({
      options,
      connections: store,
      cache,
      phantoms: programPhantoms(phantoms),
    }),
    onChange: store.onChange,
    scopeAdvice(key, response) {
      const connection = cache.held(key);
      return connection === undefined ? undefined : scopeAdvice(options.catalog, connection, response);
    },

    signInAgain: (connection) => connectionLine(options.catalog, connection),
    hostsToApprove: (connection) => hostsToApprove(options.catalog, connection),
    hosts: (provider, wanted) => readHosts(context, provider, wanted),
    approveHosts: (provider, wanted, hosts) => approveHosts(context, provider, wanted, hosts),

    async start() {
      await forgetRevoked(store);
      await approveOldConnections(options, store);
      await phantoms.open();
      await signIns.resume();
      schedule = startRefreshSchedule({
        nowMs: options.nowMs,
        pause: options.pause,
        list: () => store.list(),
        quietUntilMs: (key) => cache.quietUntilMs(key),
        refresh: (key, version) => cache.refreshAhead(key, version),
      });
    },

    async close() {
      schedule?.close();
      await exchanges.close();
    },

    summaries: (provider) => listSummaries(context, provider),
    read: (provider, wanted, { showSecret }) => readDetails(context, provider, wanted, showSecret),

    async setDefault(provider, wanted) {
      const { connection } = await store.open(provider, connectionName(wanted));
      await store.setDefault(provider, connection.name);
      store.changed({ connection: connectionKey(provider, connection.name), kind: 'default_changed' });
      options.notify({
        event: 'connection.default_changed',
        provider,
        connection: connection.name,
        outcome: 'ok',
      });
      return await readSummary(context, connection);
    },

    adopt: (request, how) => adopt({ options, connections: store, phantoms }, request, how),
    logout: (provider, connection) => logoutConnection(ending, provider, connection),
    async revoke(provider) {
      const report = await revokeProvider(ending, provider);
      if (report.connections.length === 0 && !report.clientCleared)
        throw await nothingToEnd(ending, provider);
      return report;
    },
    forget: (provider) => revokeProvider(ending, provider),
    compare: (provider, values) => compareSecrets(options, store, provider, values),
    recognize: (fingerprintOf, wanted) => recognizeSecrets(options, fingerprintOf, wanted),
    exportVariables: (provider, wanted) => exportVariables(context, provider, wanted),
  };
}
