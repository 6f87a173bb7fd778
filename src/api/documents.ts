import type { DecisionEvent, Origin, RecordedEvent, Sequel } from '../audit/index.ts';
import type {
  AsksDocument,
  AuthSessionDocument,
  ChangesDocument,
  ConnectionDocument,
  ConnectionSummary as ConnectionSummaryDocument,
  DecisionPreviewDocument,
  ExplainDocument,
  ExportDocument,
  HostsDocument,
  ListDocument,
  LogDocument,
  RemoveDocument,
  RevokeDocument,
  RunDocument,
} from '../client/index.ts';
import type {
  AuthSession,
  ConnectionDetails,
  ConnectionSummary,
  Connections,
  ExportReport,
  HostsReport,
  RevokeReport,
} from '../connections/index.ts';
import type { ProviderRemoval } from '../principals/index.ts';
import type { DefinitionAsks, Provider } from '../providers/index.ts';
import type { DecisionPreview, RunOverrides } from '../runs/index.ts';

/** ISO 8601 UTC to the second, or `null`. */
function isoTime(atMs: number | undefined): string | null {
  return atMs === undefined ? null : new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function asksDocument(asks: DefinitionAsks): AsksDocument {
  return {
    hosts: asks.hosts,
    placements: asks.placements,
    endpoints: asks.endpoints,
    variables_read: asks.variablesRead.map(({ name, sentTo }) => ({ name, sent_to: sentTo })),
    variables_set: asks.variablesSet,
    turns_off: asks.turnsOff,
    commands_run: [],
  };
}

const nothing: DefinitionAsks = {
  hosts: [],
  placements: [],
  endpoints: [],
  variablesRead: [],
  variablesSet: [],
  turnsOff: [],
};

/** What the later one asks for and the earlier one did not, and the other way round. */
export function changesDocument(
  before: DefinitionAsks | undefined,
  after: DefinitionAsks | undefined,
): ChangesDocument {
  const [earlier, later] = [before ?? nothing, after ?? nothing].map(asksDocument) as [
    AsksDocument,
    AsksDocument,
  ];
  return { added: withoutThose(later, earlier), removed: withoutThose(earlier, later) };
}

function withoutThose(all: AsksDocument, those: AsksDocument): ChangesDocument['added'] {
  const rest = <Value>(values: readonly Value[], others: readonly Value[]): readonly Value[] => {
    const known = new Set(others.map((other) => JSON.stringify(other)));
    return values.filter((value) => !known.has(JSON.stringify(value)));
  };
  return {
    hosts: rest(all.hosts, those.hosts),
    placements: rest(all.placements, those.placements),
    endpoints: rest(all.endpoints, those.endpoints),
    variables_read: rest(all.variables_read, those.variables_read),
    variables_set: rest(all.variables_set, those.variables_set),
    turns_off: rest(all.turns_off, those.turns_off),
  };
}

/** What is said of a connection beside what is stored of it. */
type About = Pick<Connections, 'signInAgain' | 'hostsToApprove'>;

function summaryDocument(summary: ConnectionSummary, about: About): ConnectionSummaryDocument {
  return {
    name: summary.name,
    is_default: summary.isDefault,
    status: summary.status,
    scopes: summary.scopes,
    expires_at: isoTime(summary.expiresAtMs),
    refreshable: summary.refreshable,
    account: summary.account ?? null,
    unapproved_hosts: about.hostsToApprove(summary),
    sign_in_again: about.signInAgain(summary),
  };
}

export function listDocument(
  providers: readonly Provider[],
  connections: readonly ConnectionSummary[],
  about: About,
): ListDocument {
  return {
    v: 1,
    providers: providers.map((provider) => ({
      name: provider.name,
      display_name: provider.displayName,
      source: provider.source,
      auth_type: provider.authType,
      flow: provider.flow,
      connections: connections
        .filter((connection) => connection.provider === provider.name)
        .map((connection) => summaryDocument(connection, about)),
    })),
  };
}

export function connectionDocument(
  details: ConnectionDetails | ConnectionSummary,
  about: About,
): ConnectionDocument {
  const { accessToken, refreshToken, apiKey } = details as ConnectionDetails;
  return {
    v: 1,
    provider: details.provider,
    connection: details.name,
    is_default: details.isDefault,
    auth_type: details.authType,
    status: details.status,
    scopes: details.scopes,
    expires_at: isoTime(details.expiresAtMs),
    obtained_at: isoTime(details.obtainedAtMs) ?? '',
    refreshable: details.refreshable,
    base_url: details.baseUrl ?? null,
    account: details.account ?? null,
    hosts: details.approved?.hosts ?? [],
    unapproved_hosts: about.hostsToApprove(details),
    sign_in_again: about.signInAgain(details),
    ...(accessToken === undefined ? {} : { access_token: accessToken }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(apiKey === undefined ? {} : { api_key: apiKey }),
  };
}

/** `excludesOthers` is what the daemon knows of other users. */
export function sessionDocument(session: AuthSession, excludesOthers: boolean): AuthSessionDocument {
  return {
    v: 1,
    session_id: session.id,
    provider: session.provider,
    display_name: session.displayName,
    connection: session.connection,
    flow: session.flow,
    status: session.status,
    revision: session.revision,
    auth_url: session.authUrl ?? null,
    in_browser: session.isInBrowser,
    excludes_others: excludesOthers,
    provider_url: session.providerUrl ?? null,
    provider_url_expires_at: isoTime(session.providerUrlExpiresAtMs),
    accepts_secret: session.asksFor === 'secret',
    accepts_client: session.asksFor === 'client',
    ...(session.verificationUri === undefined ? {} : { verification_uri: session.verificationUri }),
    ...(session.userCode === undefined ? {} : { user_code: session.userCode }),
    redirect_uri: session.redirectUri,
    warnings: session.warnings,
    failure: session.failure ?? null,
    base_url: session.baseUrl ?? null,
    requested_scopes: session.requestedScopes,
    sign_in_again: session.signInAgain,
    scopes: session.granted?.scopes ?? [],
    expires_at: isoTime(session.granted?.expiresAtMs),
    account: session.granted?.account ?? null,
  };
}

export function revokeDocument(report: RevokeReport): RevokeDocument {
  const { provider, connections, remote, clientCleared } = report;
  return { v: 1, provider, connections, remote, client_cleared: clientCleared };
}

export function removeDocument(provider: string, { outcome, ended }: ProviderRemoval): RemoveDocument {
  const { connections, remote, clientCleared } = mergedReport(provider, ended);
  return { v: 1, provider, outcome, connections, remote, client_cleared: clientCleared };
}

/** One report of what was revoked in several vaults. Two connections of one name count as the one that fared worse. */
function mergedReport(provider: string, reports: readonly RevokeReport[]): RevokeReport {
  const remote: Record<string, RevokeReport['remote'][string]> = {};
  for (const [name, result] of reports.flatMap((report) => Object.entries(report.remote))) {
    if ((remote[name] ?? 'revoked') === 'revoked') remote[name] = result;
  }
  return {
    provider,
    connections: Object.keys(remote).sort(),
    remote,
    clientCleared: reports.some(({ clientCleared }) => clientCleared),
  };
}

export function hostsDocument({ provider, connection, before, after, added }: HostsReport): HostsDocument {
  return { v: 1, provider, connection, before, after, added };
}

export function exportDocument({ provider, connection, variables }: ExportReport): ExportDocument {
  return { v: 1, provider, connection, variables };
}

/** Every event has the same keys for who and what it concerns, whatever else it has. */
export function logDocument(events: readonly RecordedEvent[]): LogDocument {
  return {
    v: 1,
    events: events.map((event: RecordedEvent & Origin) => ({
      ...event,
      provider: event.provider ?? null,
      connection: event.connection ?? null,
      identity: event.identity ?? null,
      run: event.run ?? null,
      pid: event.pid ?? null,
      program: event.program ?? null,
    })),
  };
}

export function explainDocument(
  decision: DecisionEvent & { readonly at: string },
  sequel: Sequel | undefined,
): ExplainDocument {
  const want = sequel?.event === 'scopes.missing' ? sequel : undefined;
  const failure = sequel?.event === 'answer.failed' ? sequel : undefined;
  return {
    v: 1,
    decision: decision.id,
    at: decision.at,
    outcome: failure?.outcome ?? decision.outcome,
    reason: failure?.detail ?? decision.reason,
    request: decision.request,
    route: decision.route ?? null,
    connection: decision.connection === undefined ? null : `${decision.provider}/${decision.connection}`,
    rule: decision.rule ?? null,
    placement: decision.placement ?? null,
    missing_scopes: want?.scopes ?? [],
    hint: want?.hint ?? null,
    candidates: decision.candidates.map((candidate) => ({ ...candidate })),
  };
}

/** A decision that was not made has no id, and nothing of it is on record. */
export function decisionPreviewDocument(preview: DecisionPreview): DecisionPreviewDocument {
  const recorded = { ...preview, event: 'decision', id: '', at: '' } as const;
  const { hint } = preview;
  return { ...explainDocument(recorded, undefined), decision: null, at: null, hint: hint ?? null };
}

export function overridesDocument(overrides: RunOverrides): NonNullable<RunDocument['overrides']> {
  return { resolved_hosts: overrides.resolvedHosts, extra_roots: overrides.extraRoots };
}
