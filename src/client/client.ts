import { AuthsomeError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { sendToVerifiedDaemon } from './daemon.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { type Call, readDocument, readText, send } from './exchange.ts';
import { createReach, unreachable } from './reach.ts';
import { type RunCalls, runCalls } from './run-calls.ts';
import type {
  AdoptDocument,
  AdoptRequest,
  ApproveHostsRequest,
  AuthSessionDocument,
  ConnectionDocument,
  DoctorDocument,
  ExplainDocument,
  ExportDocument,
  HostsDocument,
  InspectDocument,
  ListDocument,
  LogDocument,
  LoginRequest,
  LogoutDocument,
  PassphraseDocument,
  ReadyDocument,
  RegisterDocument,
  RegisterRequest,
  RemoveDocument,
  ReviewDocument,
  RevokeDocument,
  ScanAnswerDocument,
  ScanListDocument,
  ScanPhantomsDocument,
  ScanPhantomsRequest,
  ScanRequest,
  ScanUndoDocument,
  WhoamiDocument,
} from './wire.ts';

interface Waiting {
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

/** One method for each call of the table in `wire.ts`. Each starts the local daemon if it has to. */
export interface Client extends RunCalls {
  whoami(): Promise<WhoamiDocument>;
  ready(): Promise<ReadyDocument>;
  doctor(): Promise<DoctorDocument>;
  setPassphrase(passphrase: string): Promise<PassphraseDocument>;
  removePassphrase(): Promise<PassphraseDocument>;
  list(): Promise<ListDocument>;
  /** What `registerProvider` would store. */
  reviewProvider(request: RegisterRequest): Promise<ReviewDocument>;
  registerProvider(request: RegisterRequest): Promise<RegisterDocument>;
  inspectProvider(provider: string, options?: { readonly baseUrl?: string }): Promise<InspectDocument>;
  /** Rejects with `ProviderInUse` where it has connections, unless they go along. */
  removeProvider(provider: string, options?: { readonly withConnections?: boolean }): Promise<RemoveDocument>;
  revokeProvider(provider: string): Promise<RevokeDocument>;
  connection(
    provider: string,
    options?: { readonly connection?: string; readonly showSecret?: boolean },
  ): Promise<ConnectionDocument>;
  logout(provider: string, options?: { readonly connection?: string }): Promise<LogoutDocument>;
  setDefault(provider: string, connection: string): Promise<ConnectionDocument>;
  hosts(provider: string, options?: { readonly connection?: string }): Promise<HostsDocument>;
  approveHosts(provider: string, request: ApproveHostsRequest): Promise<HostsDocument>;
  /** Takes over the sign-in of a program. Rejects with ConnectionExists, OperationNotAllowed or InvalidKey. */
  adopt(provider: string, request: AdoptRequest): Promise<AdoptDocument>;
  exportConnection(provider: string, options?: { readonly connection?: string }): Promise<ExportDocument>;
  login(request: LoginRequest): Promise<AuthSessionDocument>;
  /** With `seen`, waits up to `waitMs` for a later revision. */
  authSession(id: string, options?: Waiting & { readonly seen?: number }): Promise<AuthSessionDocument>;
  answerCallback(id: string, url: string): Promise<AuthSessionDocument>;
  /** An empty secret means none. */
  answerClient(
    id: string,
    client: { readonly clientId: string; readonly clientSecret: string },
  ): Promise<AuthSessionDocument>;
  answerSecret(id: string, apiKey: string): Promise<AuthSessionDocument>;
  /** A new `provider_url` in place of one that works once. */
  renewProviderUrl(id: string): Promise<AuthSessionDocument>;
  cancelAuthSession(id: string): Promise<AuthSessionDocument>;
  scanList(): Promise<ScanListDocument>;
  /** Whether the vault contains values that were found elsewhere. */
  compareSecrets(request: ScanRequest): Promise<ScanAnswerDocument>;
  /** What to write into files in place of secrets. Rejects with `DeniedInRun`. */
  scanPhantoms(request: ScanPhantomsRequest): Promise<ScanPhantomsDocument>;
  /** Asks whether keys may be put back into files. Rejects with `DeniedInRun`. */
  askToRestore(): Promise<ScanUndoDocument>;
  audit(
    options?: Waiting & {
      readonly limit?: number;
      readonly after?: string;
      readonly before?: string;
      /** Also what strangers caused. */
      readonly strangers?: boolean;
    },
  ): Promise<LogDocument>;
  decision(id: string): Promise<ExplainDocument>;
}

/** Longest silence before a response, beyond the wait that was asked for. */
const idleMs = 30_000;

/** A client of the daemon that the settings name: this home's own one, or a hosted one. Connects on first use. */
export function createClient(options: DaemonOptions): Client {
  const reach = createReach(options);

  const ask = async <T>(call: Partial<Call> & Pick<Call, 'method' | 'target'>): Promise<T> =>
    reach(async (at) => {
      const response = await send(at, options, { idleMs, ...call });
      return (await readDocument(response, at.origin)) as T;
    });

  const sendSecret = async <T>(target: string, body: unknown, method: 'POST' | 'PUT' = 'POST'): Promise<T> =>
    reach(async (at) => (await sendToVerifiedDaemon(at, options, { method, target, body, idleMs })) as T);

  return {
    whoami: () => ask({ method: 'GET', target: '/v1/whoami' }),
    ready: () =>
      reach(async (at) => {
        // Open to anybody, so it comes without a proof and may say no (503).
        const anyone = { ...at, secret: undefined, hosted: undefined };
        const response = await send(anyone, options, { method: 'GET', target: '/ready', idleMs });
        const document = parseJson(await readText(response, at.origin));
        if (document === undefined) throw unreachable(at.origin);
        return document as ReadyDocument;
      }),
    doctor: () => ask({ method: 'GET', target: '/v1/doctor' }),
    setPassphrase: (passphrase) => sendSecret('/v1/vault/passphrase', { passphrase }, 'PUT'),
    removePassphrase: () => ask({ method: 'DELETE', target: '/v1/vault/passphrase' }),
    list: () => ask({ method: 'GET', target: '/v1/providers' }),
    reviewProvider: (request) =>
      ask({ method: 'POST', target: '/v1/providers', body: { ...request, review: true } }),
    registerProvider: (request) => ask({ method: 'POST', target: '/v1/providers', body: request }),
    inspectProvider: (provider, { baseUrl } = {}) =>
      ask({ method: 'GET', target: path`/v1/providers/${provider}` + query({ base_url: baseUrl }) }),
    removeProvider: (provider, { withConnections } = {}) =>
      ask({
        method: 'DELETE',
        target:
          path`/v1/providers/${provider}` +
          query({ with_connections: withConnections === true ? 1 : undefined }),
      }),
    revokeProvider: (provider) => ask({ method: 'POST', target: path`/v1/providers/${provider}/revoke` }),
    connection: (provider, { connection, showSecret } = {}) =>
      ask({
        method: 'GET',
        target:
          path`/v1/connections/${provider}` +
          query({ connection, show_secret: showSecret === true ? 1 : undefined }),
      }),
    logout: (provider, { connection } = {}) =>
      ask({ method: 'DELETE', target: path`/v1/connections/${provider}` + query({ connection }) }),
    setDefault: (provider, connection) =>
      ask({ method: 'PUT', target: path`/v1/connections/${provider}/default`, body: { connection } }),
    hosts: (provider, { connection } = {}) =>
      ask({ method: 'GET', target: path`/v1/connections/${provider}/hosts` + query({ connection }) }),
    approveHosts: (provider, request) =>
      ask({ method: 'POST', target: path`/v1/connections/${provider}/approve-hosts`, body: request }),
    adopt: (provider, request) => sendSecret(path`/v1/connections/${provider}/adopt`, request),
    exportConnection: (provider, { connection } = {}) =>
      ask({ method: 'POST', target: path`/v1/connections/${provider}/export` + query({ connection }) }),
    login: (request) => {
      const isConfidential = request.api_key !== undefined || request.client_secret !== undefined;
      return isConfidential
        ? sendSecret('/v1/auth-sessions', request)
        : ask({ method: 'POST', target: '/v1/auth-sessions', body: request });
    },
    authSession: (id, { waitMs, seen, signal } = {}) =>
      ask({
        method: 'GET',
        target: path`/v1/auth-sessions/${id}` + query({ wait_ms: waitMs, seen }),
        idleMs: idleMs + (waitMs ?? 0),
        signal,
      }),
    answerCallback: (id, url) => sendSecret(path`/v1/auth-sessions/${id}/callback`, { url }),
    answerClient: (id, { clientId, clientSecret }) =>
      sendSecret(path`/v1/auth-sessions/${id}/client`, { client_id: clientId, client_secret: clientSecret }),
    answerSecret: (id, apiKey) => sendSecret(path`/v1/auth-sessions/${id}/secret`, { api_key: apiKey }),
    renewProviderUrl: (id) => ask({ method: 'POST', target: path`/v1/auth-sessions/${id}/address` }),
    cancelAuthSession: (id) => ask({ method: 'DELETE', target: path`/v1/auth-sessions/${id}` }),
    ...runCalls(reach, options, idleMs),
    scanList: () => ask({ method: 'GET', target: '/v1/scan' }),
    scanPhantoms: (request) => ask({ method: 'POST', target: '/v1/scan/phantoms', body: request }),
    askToRestore: () => ask({ method: 'POST', target: '/v1/scan/undo' }),
    compareSecrets: (request) => sendSecret('/v1/scan', request),
    audit: ({ limit, after, before, strangers, waitMs, signal } = {}) =>
      ask({
        method: 'GET',
        target: `/v1/audit${query({ limit, after, before, strangers: strangers === true ? 1 : undefined, wait_ms: waitMs })}`,
        idleMs: idleMs + (waitMs ?? 0),
        signal,
      }),
    decision: (id) => ask({ method: 'GET', target: path`/v1/decisions/${id}` }),
  };
}

/** Far more than any name has, and far less than the head of a request may have. */
const longestSegment = 2_048;

/** A path whose holes are single segments. Throws `Usage` for a name that no URL can carry as one. */
function path(texts: TemplateStringsArray, ...segments: readonly string[]): string {
  return texts.reduce((path, text, index) => path + segment(segments[index - 1] ?? '') + text);
}

function segment(name: string): string {
  const encoded = encodeURIComponent(name);
  if (encoded.length > longestSegment) throw new AuthsomeError('Usage', 'name too long');
  if (name !== '' && name !== '.' && name !== '..') return encoded;
  throw new AuthsomeError('Usage', `invalid name: ${JSON.stringify(name)}`);
}

/** `?a=1&b=2` of what is defined; nothing when nothing is. */
function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const pairs = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
