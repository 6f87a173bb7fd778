/**
 * Documents on the wire, in snake_case as they are written. Those with `v: 1` are what `--json` prints, key for
 * key. Times are ISO 8601 UTC; `null` where there is nothing to say.
 *
 * | call | body → response |
 * |---|---|
 * | GET /v1/whoami | → WhoamiDocument |
 * | PUT /v1/vault/passphrase | PassphraseRequest → PassphraseDocument |
 * | DELETE /v1/vault/passphrase | → PassphraseDocument |
 * | GET /v1/providers | → ListDocument |
 * | POST /v1/providers | RegisterRequest → RegisterDocument; with `review`, ReviewDocument and nothing is stored |
 * | GET /v1/providers/:provider[?base_url=] | → InspectDocument |
 * | DELETE /v1/providers/:provider[?with_connections=1] | → RemoveDocument |
 * | POST /v1/providers/:provider/revoke | → RevokeDocument (every connection's tokens, and the client) |
 * | GET /v1/connections/:provider?connection=&show_secret=1 | → ConnectionDocument |
 * | DELETE /v1/connections/:provider?connection= | → LogoutDocument |
 * | PUT /v1/connections/:provider/default | {connection} → ConnectionDocument |
 * | GET /v1/connections/:provider/hosts?connection= | → HostsDocument |
 * | POST /v1/connections/:provider/approve-hosts | ApproveHostsRequest → HostsDocument |
 * | POST /v1/connections/:provider/adopt | AdoptRequest → AdoptDocument |
 * | POST /v1/connections/:provider/export?connection= | → ExportDocument |
 * | POST /v1/auth-sessions | LoginRequest → AuthSessionDocument |
 * | GET /v1/auth-sessions/:id?wait_ms=&seen= | → AuthSessionDocument (waits for a `revision` above `seen`) |
 * | GET /v1/auth-sessions/last | → AuthSessionDocument: the sign-in begun last, unless it ended connected |
 * | POST /v1/auth-sessions/:id/callback | {url}: a pasted redirect URL → AuthSessionDocument |
 * | POST /v1/auth-sessions/:id/client | {client_id, client_secret} → AuthSessionDocument |
 * | POST /v1/auth-sessions/:id/secret | {api_key} → AuthSessionDocument |
 * | POST /v1/auth-sessions/:id/address | → AuthSessionDocument with a new `provider_url` in place of one that works once |
 * | DELETE /v1/auth-sessions/:id | → AuthSessionDocument (`cancelled`) |
 * | POST /v1/runs | RunRequest → one RunDocument line, then the response stays open: the lease of the run |
 * | POST /v1/runs/preview | RunRequest → RunPreviewDocument; no run is opened |
 * | GET /v1/probes?provider=&connection= | → ProbeListDocument |
 * | GET /v1/scan | → ScanListDocument |
 * | POST /v1/scan | ScanRequest → ScanAnswerDocument |
 * | POST /v1/scan/phantoms | ScanPhantomsRequest → ScanPhantomsDocument |
 * | POST /v1/scan/undo | → ScanUndoDocument: whether this process may put keys back into files |
 * | GET /v1/audit?limit=&after=&before=&wait_ms= | → LogDocument |
 * | GET /v1/decisions/:id | (`last` too) → ExplainDocument |
 * | POST /v1/decisions/preview | DecisionPreviewRequest → DecisionPreviewDocument; nothing is sent or recorded |
 * | GET /v1/doctor | → DoctorDocument (the daemon's half) |
 * | POST /v1/daemon/stop | {when: "now" | "idle"} → StopDocument |
 *
 * `GET /health` → HealthDocument and `GET /ready` → ReadyDocument are open to anybody. Every /v1 call is signed.
 */

export interface HealthDocument {
  readonly v: 1;
  readonly service: 'authsome';
  readonly status: 'ok';
  readonly version: string;
  readonly pid: number;
}

export interface ReadyDocument {
  readonly v: 1;
  readonly ready: boolean;
  readonly checks: readonly CheckDocument[];
}

export interface CheckDocument {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** The command that fixes it. */
  readonly fix: string | null;
}

export interface DoctorDocument {
  readonly v: 1;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly checks: readonly CheckDocument[];
}

/** Where the vault's master key comes from. */
export type KeySource = 'env' | 'env_file' | 'keychain' | 'file' | 'passphrase';

export interface PassphraseRequest {
  readonly passphrase: string;
}

/** After a change of the passphrase. */
export interface PassphraseDocument {
  readonly v: 1;
  readonly vault: string;
  /** What opens the vault now: the source that is used first, then the others. */
  readonly key_sources: readonly KeySource[];
}

/** What `uninstall` finds on this machine, and what it did about it. */
export interface UninstallDocument {
  readonly v: 1;
  readonly home: string;
  /** Whether it was told to remove what it found, and did. */
  readonly removed: boolean;
  readonly daemon: { readonly url: string; readonly pid: number; readonly live_runs: number } | null;
  readonly bytes: number;
  readonly files: number;
  /** Paths in the home that are not authsome's, or could not be removed: they stay. */
  readonly kept: readonly string[];
  /** Whether the keychain has, or had, the master key; `null` where that is not known. */
  readonly keychain: boolean | null;
  /** `null` where the vault could not be read. */
  readonly connections: readonly { readonly provider: string; readonly connection: string }[] | null;
  /** By `provider/connection`, as in `RevokeDocument`: what was revoked. */
  readonly remote: RevokeDocument['remote'];
  /** Files that `scan --rewrite` changed, and that `scan --undo` can still restore before the removal. */
  readonly rewritten_files: readonly string[];
  /** What removes the program itself. */
  readonly package: string;
}

export interface WhoamiDocument {
  readonly v: 1;
  readonly version: string;
  readonly home: string;
  readonly identity: string;
  readonly did: string;
  readonly principal: { readonly id: string; readonly role: 'admin' | 'user' };
  readonly vault: string;
  readonly key_source: KeySource;
  readonly daemon: {
    readonly url: string;
    readonly pid: number;
    readonly version: string;
    readonly live_runs: number;
  };
}

export type ConnectionStatus = 'connected' | 'expired' | 'invalid';

export interface ConnectionSummary {
  readonly name: string;
  readonly is_default: boolean;
  readonly status: ConnectionStatus;
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  /** Whether it can be refreshed after it has expired. */
  readonly refreshable: boolean;
  readonly account: string | null;
  /** What its definition has gained since a person approved the hosts: nothing is sent there. Older daemons say nothing. */
  readonly unapproved_hosts?: readonly string[];
  /** The command that replaces it with a new sign-in. */
  readonly sign_in_again: string;
}

export interface ListDocument {
  readonly v: 1;
  readonly providers: readonly {
    readonly name: string;
    readonly display_name: string;
    readonly source: 'bundled' | 'custom';
    readonly auth_type: string;
    readonly flow: string;
    readonly connections: readonly ConnectionSummary[];
  }[];
}

/** Secrets are `"***"` unless they were asked for, which the audit trail records. */
export interface ConnectionDocument {
  readonly v: 1;
  readonly provider: string;
  readonly connection: string;
  readonly is_default: boolean;
  readonly auth_type: string;
  readonly status: ConnectionStatus;
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  readonly obtained_at: string;
  readonly refreshable: boolean;
  readonly base_url: string | null;
  readonly account: string | null;
  /** Where its credential may be sent: host patterns, as approved. */
  readonly hosts?: readonly string[];
  /** As in `ConnectionSummary`. */
  readonly unapproved_hosts?: readonly string[];
  /** The command that replaces it with a new sign-in. */
  readonly sign_in_again: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly api_key?: string;
}

/** What a definition asks for. */
export interface AsksDocument {
  /** Patterns of the hosts that get the credential. */
  readonly hosts: readonly string[];
  /** Where in a request it goes: `header X-Key`, `Basic`, `query parameter key`; with hosts where they differ. */
  readonly placements: readonly string[];
  readonly endpoints: readonly { readonly name: string; readonly url: string }[];
  /** By a login; `sent_to`: hosts that get the value. */
  readonly variables_read: readonly { readonly name: string; readonly sent_to: readonly string[] }[];
  /** In a run. */
  readonly variables_set: readonly string[];
  /** Protections that it does without: `scrub at <host pattern>`, `oauth.iss`. */
  readonly turns_off: readonly string[];
  /** None: a definition cannot run anything. */
  readonly commands_run: readonly [];
}

/** The definition as resolved, plus these. */
export type InspectDocument = Readonly<Record<string, unknown>> & {
  readonly v: 1;
  readonly source: 'bundled' | 'custom';
  readonly redirect_uri: string;
  readonly asks_for: AsksDocument;
  /** Fields that nothing reads, with the one that was probably meant. Left out where there are none. */
  readonly unknown_fields?: readonly { readonly pointer: string; readonly meant: string | null }[];
};

export interface RegisterRequest {
  /** The parsed JSON of a definition, or the https URL of one. */
  readonly definition?: unknown;
  readonly url?: string;
  readonly force: boolean;
  /** It may name addresses of this machine. For a definition that comes from a file only. */
  readonly allow_loopback?: boolean;
  /** Only say what would be stored. */
  readonly review?: boolean;
  /** From the review that a person has seen: anything else than that is refused. */
  readonly digest?: string;
}

type ChangedAsks = Omit<AsksDocument, 'commands_run'>;

/** Compared with the definition that it replaces. */
export interface ChangesDocument {
  readonly added: ChangedAsks;
  readonly removed: ChangedAsks;
}

export type RegisterDocument = InspectDocument & {
  /** What it asks for when `--base-url` names its address; `null` where that changes nothing else. */
  readonly asks_for_with_base_url: AsksDocument | null;
  /** `null` where it replaces no definition. */
  readonly changes: ChangesDocument | null;
  readonly changes_with_base_url: ChangesDocument | null;
};

export type ReviewDocument = RegisterDocument & {
  /** SHA-256 of the definition, base64url. */
  readonly digest: string;
};

export interface RemoveDocument {
  readonly v: 1;
  readonly provider: string;
  readonly outcome: 'removed' | 'reset';
  /** What was removed with it, as in `RevokeDocument`: nothing after a reset. */
  readonly connections: readonly string[];
  readonly remote: RevokeDocument['remote'];
  readonly client_cleared: boolean;
}

export interface RevokeDocument {
  readonly v: 1;
  readonly provider: string;
  readonly connections: readonly string[];
  /** Whether the provider revoked it (RFC 7009): `revoked`, `unsupported` or `unreachable` per connection. */
  readonly remote: Readonly<Record<string, 'revoked' | 'unsupported' | 'unreachable'>>;
  readonly client_cleared: boolean;
}

export interface LogoutDocument {
  readonly v: 1;
  readonly provider: string;
  readonly connection: string;
  /** As in `RevokeDocument`. */
  readonly remote: 'revoked' | 'unsupported' | 'unreachable';
  /** The connection that is used from now on when none is named, where the default one was removed. */
  readonly new_default: string | null;
}

/** Host patterns. What `connections approve-hosts` prints. */
export interface HostsDocument {
  readonly v: 1;
  readonly provider: string;
  readonly connection: string;
  /** Approved before this call. */
  readonly before: readonly string[];
  /** All that the definition names. */
  readonly after: readonly string[];
  /** Of `after`, those that were not approved before. */
  readonly added: readonly string[];
}

export interface ApproveHostsRequest {
  readonly connection?: string;
  /** `after`, as a person has seen it: refused if the definition has changed since. */
  readonly hosts: readonly string[];
}

/** A program's own sign-in, as its file has it. */
export interface AdoptRequest {
  readonly connection?: string;
  /** Whether a connection of that name is replaced. */
  readonly force: boolean;
  /** By their names in a response of the token endpoint, or `api_key`. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  /** Only says which phantoms the file gets. Without it, the file has them already, and the secrets are stored. */
  readonly prepare: boolean;
}

export interface AdoptDocument {
  readonly v: 1;
  /** `provider/connection`. */
  readonly connection: string;
  /** By the names of the secrets. */
  readonly phantoms: Readonly<Record<string, string>>;
}

export interface ExportDocument {
  readonly v: 1;
  readonly provider: string;
  readonly connection: string;
  readonly variables: Readonly<Record<string, string>>;
}

export interface LoginRequest {
  readonly provider: string;
  readonly connection?: string;
  readonly flow?: string;
  readonly scopes?: readonly string[];
  readonly base_url?: string;
  readonly force: boolean;
  /** The value of the provider's `env_var`, where the caller's environment has it set. */
  readonly api_key?: string;
  /** From the provider's `client_id_env` / `client_secret_env`, likewise. */
  readonly client_id?: string;
  readonly client_secret?: string;
}

export interface AuthSessionDocument {
  readonly v: 1;
  readonly session_id: string;
  readonly provider: string;
  readonly display_name: string;
  readonly connection: string;
  readonly flow: string;
  readonly status: 'waiting' | 'connected' | 'failed' | 'cancelled' | 'expired';
  /** Grows with every change; pass it as `seen` to wait for the next. */
  readonly revision: number;
  /**
   * Where a browser on this machine goes: to a local page that asks for what is missing, or through it to the provider. It
   * works in one browser only. A second one that opens it ends the sign-in.
   */
  readonly auth_url: string | null;
  /** Whether a browser has opened `auth_url`. */
  readonly in_browser: boolean;
  /**
   * Whether the daemon refuses other users of this machine. Where not, `auth_url` must not be in a program's arguments,
   * which they can read.
   */
  readonly excludes_others: boolean;
  /** The provider's own page, once it is known, for a browser that cannot reach `auth_url`. */
  readonly provider_url: string | null;
  /**
   * Of a `provider_url` that works once, and only until then; `null` for others. Reading the session later renews it,
   * waiting does not.
   */
  readonly provider_url_expires_at: string | null;
  /** Whether a masked prompt in the terminal may answer instead (`api_key`). */
  readonly accepts_secret: boolean;
  /** Whether the terminal may give the OAuth client that the page asks for. */
  readonly accepts_client: boolean;
  readonly verification_uri?: string;
  readonly user_code?: string;
  readonly redirect_uri: string;
  /** Things that happened without ending the sign-in, such as a callback with a foreign state. Only grows. */
  readonly warnings: readonly { readonly error: string; readonly message: string; readonly hint?: string }[];
  readonly failure: { readonly error: string; readonly message: string; readonly hint?: string } | null;
  readonly base_url: string | null;
  readonly requested_scopes: readonly string[];
  /** The command that begins it once more. */
  readonly sign_in_again: string;
  /** Present once connected. */
  readonly scopes: readonly string[];
  readonly expires_at: string | null;
  readonly account: string | null;
}

/** What a scan looks for. */
export interface ScanListDocument {
  readonly v: 1;
  readonly providers: readonly {
    readonly name: string;
    readonly display_name: string;
    /** Those that its definition names. */
    readonly variables: readonly string[];
    readonly key_pattern: string | null;
    /** Whether a key can become a connection. */
    readonly takes_key: boolean;
    readonly source: 'bundled' | 'custom';
    /** Where its keys are sent, as patterns. */
    readonly hosts: readonly string[];
    /** The names of those that there are, the default first. */
    readonly connections: readonly string[];
  }[];
}

/** Values to compare with the secrets of these providers in the vault. */
export interface ScanRequest {
  readonly values: readonly { readonly provider: string; readonly value: string }[];
}

/** One answer for each value, in the request's order; never the value. */
export interface ScanAnswerDocument {
  readonly v: 1;
  readonly answers: readonly {
    readonly in_vault: 'same' | 'different' | 'absent' | 'phantom';
    /** The connection that has this value. If `different`, the provider's default connection. */
    readonly connection: string | null;
  }[];
}

/** Connections whose phantoms are to be written into files. */
export interface ScanPhantomsRequest {
  readonly connections: readonly { readonly provider: string; readonly connection: string }[];
}

/** The phantom of each connection, in the request's order: the same in every run. */
export interface ScanPhantomsDocument {
  readonly v: 1;
  readonly phantoms: readonly string[];
}

/** Nothing but a yes. */
export interface ScanUndoDocument {
  readonly v: 1;
}

/** What `scan` prints. The others only for `--import` and `--rewrite`. */
export interface ScanDocument {
  readonly v: 1;
  readonly found: readonly {
    readonly provider: string;
    readonly variable: string;
    /** `null` for the environment. */
    readonly file: string | null;
    readonly line: number | null;
    readonly in_vault: 'same' | 'different' | 'absent';
    /** The connection that has it, where one does. */
    readonly connection: string | null;
  }[];
  /** What looks like a secret and is no provider's. */
  readonly without_provider: readonly {
    readonly variable: string;
    readonly file: string | null;
    readonly line: number | null;
  }[];
  readonly imported?: readonly ScanImport[];
  readonly left?: readonly ScanSkipped[];
  /** Which rewrite it was, of those that can be undone; `null` when nothing was rewritten. */
  readonly rewrite?: ScanRewrite | null;
  readonly rewritten?: readonly { readonly file: string; readonly values: number }[];
  /** Files that are as they were though there was something to rewrite, and why. */
  readonly not_rewritten?: readonly {
    readonly file: string;
    readonly error: string;
    readonly message: string;
    readonly hint: string | null;
  }[];
}

/** A rewrite that can be undone. */
export interface ScanRewrite {
  /** 1 for the oldest that is left. */
  readonly number: number;
  readonly at: string;
}

/** What `scan --undo` prints. */
export interface ScanUndoneDocument {
  readonly v: 1;
  /** Absolute paths. */
  readonly restored: readonly string[];
  readonly rewrite: ScanRewrite;
  /** How many rewrites can still be undone. */
  readonly left: number;
}

export interface ScanImport {
  readonly provider: string;
  readonly connection: string;
  readonly variable: string;
  readonly file: string | null;
  readonly line: number | null;
}

/** A finding that was not imported, and why. */
export interface ScanSkipped {
  readonly provider: string;
  readonly variable: string;
  readonly file: string | null;
  readonly line: number | null;
  /** Error code, where an import was tried. */
  readonly error: string | null;
  readonly reason: string;
  readonly hint: string | null;
}

export interface LogDocument {
  readonly v: 1;
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

export interface ExplainDocument {
  readonly v: 1;
  readonly decision: string;
  readonly at: string;
  readonly outcome: string;
  readonly reason: string;
  readonly request: {
    readonly method: string;
    readonly host: string;
    readonly port: number;
    readonly path: string;
  };
  readonly route: string | null;
  readonly connection: string | null;
  readonly rule: string | null;
  readonly placement: string | null;
  /** Missing scopes for which the service refused the request, as far as it said so. */
  readonly missing_scopes: readonly string[];
  /** The command that adds a missing scope, or why there is none. */
  readonly hint: string | null;
  readonly candidates: readonly Readonly<Record<string, unknown>>[];
}

export interface StopDocument {
  readonly v: 1;
  readonly stopping: boolean;
  readonly live_runs: number;
}

/** Of these documents and calls; raised when an older client could no longer talk to a daemon. */
export type ApiVersion = 1;

/**
 * `server/daemon.json` (0600), written by the daemon once it listens and removed when it stops: where the daemon of
 * this home is, and the secret that proves its responses (header `Authsome-Proof`).
 */
export interface DaemonRecord {
  readonly v: 1;
  /** The `ApiVersion` of the daemon, which may differ from this client's. */
  readonly api: number;
  /** Origin, without a trailing slash. */
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  /** 32 bytes, base64url. */
  readonly secret: string;
}
