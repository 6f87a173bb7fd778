import type { Fetch, RevocationOutcome, Waits } from '../oauth/index.ts';
import type { ApprovedHosts, FlowName, Provider } from '../providers/index.ts';
import type { Vault } from '../vault/index.ts';

/** Where definitions come from. */
export interface ProviderCatalog {
  /** The definition, with `baseUrl` filled in; `undefined` when there is none. */
  find(name: string, options?: { readonly baseUrl?: string }): Provider | undefined;
  /** As `find`. ProviderNotFound, with the name that was probably meant. */
  resolve(name: string, baseUrl?: string): Provider;
  list(): readonly Provider[];
  /** Stores the definition that came out of discovering a URL. */
  add(
    document: unknown,
    options: { readonly replace: boolean; readonly allowLoopback?: boolean },
  ): Promise<Provider>;
}

/**
 * What the audit trail records. Built from names and codes only: never a secret. The names are a subset of those in
 * audit/event.ts; the compiler checks that where `notify` is wired to the trail (principals/).
 */
export interface ConnectionEvent {
  readonly event:
    | 'sign_in.started'
    | 'sign_in.completed'
    | 'sign_in.failed'
    | 'sign_in.state_mismatch'
    | 'sign_in.issuer_unconfirmed'
    | 'sign_in.other_browser'
    | 'token.refreshed'
    | 'token.refresh_failed'
    | 'connection.revoked'
    | 'connection.removed'
    | 'connection.replaced'
    | 'connection.default_changed'
    | 'connection.hosts_approved'
    | 'secret.revealed'
    | 'secret.exported'
    | 'secret.compared';
  readonly provider?: string;
  readonly connection?: string;
  /** `ok`, or the error code of the failure. */
  readonly outcome: string;
  /** One sentence without secrets. */
  readonly detail?: string;
}

export interface ConnectionsOptions {
  readonly vault: Vault;
  readonly catalog: ProviderCatalog;
  /** The daemon's own `fetch`; `publicOnly` for URLs from discovery. */
  readonly fetchFor: (options: { readonly publicOnly: boolean }) => Fetch;
  readonly notify: (event: ConnectionEvent) => void;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Whether somebody else's vault has this value as a phantom: it is never stored as a secret here, either. */
  readonly isPhantom?: (value: string) => boolean;
  /** The redirect URI that a person registers at providers. Those of registered clients begin with it. */
  readonly redirectUri: string;
  /** Where a document about this client is published, if anywhere: a client ID for servers that take such. */
  readonly clientMetadataUrl?: string | undefined;
  /** The address with which a browser begins its part of a sign-in, once. */
  readonly ticketUrl: (sessionId: string, ticket: string) => string;
  /** The wait between two polls of the device flow; a timer that keeps no process alive when left out. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Which servers want to be left alone (`Retry-After`): discovery and registration obey. */
  readonly waits?: Waits;
}

export type ConnectionStatus = 'connected' | 'expired' | 'invalid';

/** One connection as lists show it: no secret in it. */
export interface ConnectionSummary {
  readonly provider: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly authType: Provider['authType'];
  readonly flow: FlowName;
  readonly status: ConnectionStatus;
  /** As granted. */
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | undefined;
  readonly obtainedAtMs: number;
  /** Whether it can be refreshed once it has expired. */
  readonly refreshable: boolean;
  readonly baseUrl: string | undefined;
  readonly account: string | undefined;
  readonly approved: ApprovedHosts | undefined;
}

/** With `showSecret`, the secrets that there are; otherwise each of them as `***`. */
export interface ConnectionDetails extends ConnectionSummary {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  readonly apiKey?: string;
}

export interface SignInRequest {
  readonly provider: string;
  readonly connection?: string | undefined;
  readonly flow?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly baseUrl?: string | undefined;
  readonly force: boolean;
  /** The value of the provider's `env_var`, where the caller's environment has it. */
  readonly apiKey?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** Whether the caller is inside of a run that is not trusted. */
  readonly isFromRun?: boolean | undefined;
}

export interface Trouble {
  readonly error: string;
  readonly message: string;
  readonly hint?: string;
}

export type SessionStatus = 'waiting' | 'connected' | 'failed' | 'cancelled' | 'expired';

/**
 * One sign-in as callers see it. `authUrl` and `providerUrl` let their reader take part in it: show them only to the person
 * who signs in.
 */
export interface AuthSession {
  readonly id: string;
  readonly provider: string;
  readonly displayName: string;
  readonly connection: string;
  readonly flow: FlowName;
  readonly status: SessionStatus;
  /** Whether it was begun from inside of a run: only such a one is any business of a run's. */
  readonly isFromRun: boolean;
  /** What the daemon's page asks for now: the client, the key, or nothing. */
  readonly asksFor: 'client' | 'secret' | undefined;
  readonly revision: number;
  /** Where a browser on this machine goes: it leads to a page of the daemon, or on to `providerUrl`. */
  readonly authUrl: string | undefined;
  /** Whether a browser has used `authUrl`: from then on, no other is accepted. */
  readonly isInBrowser: boolean;
  /** The provider's own page, once it is known, for a browser that cannot reach `authUrl`. */
  readonly providerUrl: string | undefined;
  /** Of a `providerUrl` that works once, and only until then; `undefined` for others. */
  readonly providerUrlExpiresAtMs: number | undefined;
  /** Origin of the provider's own page, where a form of the daemon may lead. */
  readonly authorizationOrigin: string | undefined;
  readonly verificationUri: string | undefined;
  readonly userCode: string | undefined;
  readonly redirectUri: string;
  readonly warnings: readonly Trouble[];
  readonly failure: Trouble | undefined;
  readonly expiresAtMs: number;
  readonly baseUrl: string | undefined;
  readonly requestedScopes: readonly string[];
  /** The command that begins it once more. */
  readonly signInAgain: string;
  /** Once connected. */
  readonly granted:
    | {
        readonly scopes: readonly string[];
        readonly expiresAtMs: number | undefined;
        readonly account: string | undefined;
        /** Whether it is renewed by itself. */
        readonly refreshable: boolean;
      }
    | undefined;
}

/** A browser that came to the daemon, as a sign-in sees it. */
export interface Browser {
  /** The values of its cookies for this sign-in: another server at this address may have set one, too (RFC 6265 §8.5). */
  cookiesFor(sessionId: string): readonly string[];
  /** Gives it the cookie by which this sign-in knows it from now on. */
  giveCookie(sessionId: string, value: string): void;
}

/** What came of opening `authUrl`. */
export interface Opening {
  /** The first browser that opened it, or the same one again. Another one has ended the sign-in, if that was waiting. */
  readonly isAdmitted: boolean;
  readonly session: AuthSession;
}

export interface SignIns {
  /** Fails with Usage, ProviderNotFound, OperationNotAllowed, ConnectionExists, InvalidKey. */
  start(request: SignInRequest): Promise<AuthSession>;
  /** SessionNotFound when there is none (any more). A `providerUrl` whose time is over is replaced where that can be. */
  read(id: string): Promise<AuthSession>;
  /** As `read`, and the cookie that the browser is known by; SessionNotFound for every other browser. */
  readIn(browser: Browser, id: string): Promise<{ readonly session: AuthSession; readonly cookie: string }>;
  /** A browser opens `authUrl`. SessionNotFound for a wrong ticket, as for a sign-in that does not exist. */
  open(browser: Browser, id: string, ticket: string): Promise<Opening>;
  /** Connected ones whose address a second browser opened: one of the two may have been somebody else's. */
  usedElsewhere(): Promise<readonly { readonly provider: string; readonly connection: string }[]>;
  /** As `read`, with a new `providerUrl` in place of one that works once. SignInFailed or EndpointUnreachable end nothing. */
  renewAddress(id: string): Promise<AuthSession>;
  /** The sign-in that was begun last; SessionNotFound when it ended connected, or there is none. */
  readLastUnfinished(): Promise<AuthSession>;
  /** The session as soon as its revision is above `seen`, at the latest after `timeoutMs`. */
  waitForChange(id: string, seen: number, timeoutMs: number): Promise<AuthSession>;
  submitClient(
    id: string,
    client: { readonly clientId: string; readonly clientSecret: string },
  ): Promise<AuthSession>;
  /** InvalidKey leaves the session waiting for a better one. */
  submitSecret(id: string, apiKey: string): Promise<AuthSession>;
  /** The sign-in that has the state which the callback brings. Changes nothing, and warns nobody. */
  expecting(params: URLSearchParams): Promise<AuthSession | undefined>;
  /**
   * The session that a browser ended when it came back to this URL (see its `status`). StateMismatch when no waiting sign-in has that state;
   * every waiting one is warned and keeps waiting. OpenedElsewhere when it is not the browser that opened `authUrl`: the
   * sign-in is warned and keeps waiting. While none has opened that, any browser is accepted, and then the only one.
   */
  callback(landing: URL, browser?: Browser): Promise<AuthSession>;
  /** As `callback`, from a redirect URL that a person pasted into the terminal of this session. */
  callbackFromPaste(id: string, url: string): Promise<AuthSession>;
  cancel(id: string): Promise<AuthSession>;
  /** Takes up what a stopped daemon left behind, and forgets sessions that ended long ago. Call it at start. */
  resume(): Promise<void>;
}

export interface ConnectionChange {
  /** `provider/connection`. */
  readonly connection: string;
  readonly kind: 'connected' | 'revoked' | 'removed' | 'default_changed' | 'hosts_approved' | 'phantom_made';
}

export interface RevokeReport {
  readonly provider: string;
  readonly connections: readonly string[];
  readonly remote: Readonly<Record<string, RevocationOutcome>>;
  readonly clientCleared: boolean;
}

/** What is known of a value that a scan found: never the value. */
export interface Comparison {
  readonly inVault: 'same' | 'different' | 'absent';
  /** The connection that has it; for `different` the default one. */
  readonly connection: string | undefined;
}

/** Whose secret it is that a caller has. */
export interface RecognizedSecret {
  readonly provider: string;
  /** `provider/connection`; `undefined` of a client's. */
  readonly connection: string | undefined;
  /** The key or access token of a connection, which a phantom can stand for. */
  readonly isCredential: boolean;
}

export interface LogoutReport {
  readonly provider: string;
  readonly connection: string;
  readonly remote: RevocationOutcome;
  /** The connection that takes the place of the default one, where that was removed and there are others. */
  readonly newDefault: string | undefined;
}

/** Where a connection's credential may go, and where its definition would send it. Host patterns. */
export interface HostsReport {
  readonly provider: string;
  readonly connection: string;
  /** Approved until now. */
  readonly before: readonly string[];
  /** All that the definition names. */
  readonly after: readonly string[];
  /** Of `after`, those that were not approved before. */
  readonly added: readonly string[];
}

export interface ExportReport {
  readonly provider: string;
  readonly connection: string;
  readonly variables: Readonly<Record<string, string>>;
}
