/**
 * The one error type of the product and its closed table of codes: each error that a user can meet, its hint, and
 * its HTTP status and exit code.
 */

interface ErrorEntry {
  readonly exit: number;
  readonly status: number;
  /** What to do, unless the thrown error has a better hint. `undefined` when nothing general helps. */
  readonly hint?: string;
  /** The page of the manual with more about it: `authsome help <topic>`. */
  readonly topic?: string;
}

const table = {
  Unexpected: {
    exit: 1,
    status: 500,
    hint: 'This is a bug in authsome. Report it with the output of: authsome doctor --json',
  },
  Usage: { exit: 2, status: 400, hint: 'Run: authsome --help' },
  InvalidDefinition: { exit: 2, status: 422, topic: 'provider-schema' },
  ConnectionNotFound: { exit: 3, status: 404, hint: 'Run: authsome list' },
  ProviderNotFound: { exit: 4, status: 404, hint: 'Run: authsome list --all' },
  OperationNotAllowed: { exit: 4, status: 403 },
  IdentityNotAllowed: { exit: 4, status: 403, hint: 'Run: authsome whoami' },
  PeerNotAllowed: {
    exit: 4,
    status: 403,
    hint: 'The owner can allow another user with AUTHSOME_ALLOW_UID. See: authsome help environment',
  },
  DecisionNotFound: { exit: 4, status: 404, hint: 'Run: authsome log' },
  CredentialMissing: { exit: 5, status: 409, topic: 'token-refresh' },
  CredentialExpired: { exit: 5, status: 409, topic: 'token-refresh' },
  RefreshFailed: { exit: 5, status: 502, topic: 'token-refresh' },
  ConnectionExists: { exit: 6, status: 409 },
  ProviderInUse: { exit: 4, status: 409 },
  ProviderExists: { exit: 7, status: 409, hint: 'Replace it with: authsome register <file> --force' },
  EndpointUnreachable: {
    exit: 8,
    status: 502,
    hint: 'Check the network (HTTPS_PROXY, NO_PROXY), or try again later.',
    topic: 'authentication-errors',
  },
  DaemonUnavailable: { exit: 9, status: 503, hint: 'Run: authsome daemon logs', topic: 'daemon-issues' },
  DaemonKeyChanged: { exit: 9, status: 503, topic: 'daemon-issues' },
  AddressInUse: { exit: 9, status: 503, topic: 'daemon-issues' },
  HomeNotUsable: { exit: 9, status: 503, topic: 'daemon-issues' },
  WrongMasterKey: { exit: 9, status: 503, topic: 'daemon-issues' },
  PassphraseNeeded: { exit: 9, status: 503, topic: 'vault' },
  WrongPassphrase: { exit: 9, status: 503, topic: 'vault' },
  DatabaseCorrupt: { exit: 9, status: 503, topic: 'daemon-issues' },
  StorageFull: {
    exit: 9,
    status: 507,
    hint: 'Free some disk space and run the command again. Nothing was lost.',
    topic: 'daemon-issues',
  },
  RequestNotAuthentic: { exit: 9, status: 401, hint: 'Run: authsome doctor', topic: 'daemon-issues' },
  SignInFailed: { exit: 10, status: 400, topic: 'oauth-callbacks' },
  StateMismatch: { exit: 10, status: 400, topic: 'oauth-callbacks' },
  OpenedElsewhere: { exit: 10, status: 403, topic: 'oauth-callbacks' },
  TokenExchangeFailed: { exit: 10, status: 502, topic: 'oauth-callbacks' },
  InvalidKey: { exit: 10, status: 422, topic: 'authentication-errors' },
  SignInExpired: { exit: 10, status: 410, topic: 'oauth-callbacks' },
  SessionNotFound: { exit: 10, status: 404, hint: 'Start again with: authsome login <provider>' },
  Cancelled: { exit: 11, status: 409 },
  PolicyDenied: { exit: 12, status: 403 },
  DeniedInRun: { exit: 12, status: 403, topic: 'run' },
  // The exit codes of a shell for a command that it cannot start.
  CommandNotExecutable: { exit: 126, status: 400 },
  CommandNotFound: {
    exit: 127,
    status: 404,
    hint: 'Check the spelling, and that its directory is on your PATH.',
  },
  // The proxy's refusals (problem+json); they reach an agent, not a terminal.
  ProxyAuthenticationRequired: {
    exit: 4,
    status: 407,
    hint: 'This proxy serves one run only. Start yours with: authsome run -- <command>',
  },
  MalformedRequest: { exit: 2, status: 400 },
  HeadersTooLarge: { exit: 2, status: 431 },
  TargetMismatch: { exit: 12, status: 421 },
  PlainHttpRefused: { exit: 12, status: 403, hint: 'Use https: a credential is never sent over plain HTTP.' },
  AddressForbidden: { exit: 12, status: 403 },
  HostNotApproved: { exit: 12, status: 403 },
  PhantomMisplaced: { exit: 12, status: 403 },
  RouteAmbiguous: { exit: 12, status: 409 },
  RunEnded: { exit: 9, status: 403 },
  UpstreamUnreachable: { exit: 8, status: 502 },
  UpstreamUntrusted: { exit: 8, status: 502 },
  UpstreamMalformed: { exit: 8, status: 502 },
  UpstreamTimeout: { exit: 8, status: 504 },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof table;

export interface ErrorDetails {
  /** The command or action that fixes it; replaces the table's general hint. */
  readonly hint?: string;
  /** For debugging in-process only: never printed, logged or serialized. */
  readonly cause?: unknown;
}

/** A failure that a user can meet. `message` and `hint` are shown unmodified and must contain no secret. */
export class AuthsomeError extends Error {
  override readonly name = 'AuthsomeError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const entry: ErrorEntry = table[code];
    this.hint = details.hint ?? entry.hint;
  }
}

/** Every code, for the test that compares the docs with this table. */
export const errorCodes = Object.keys(table) as readonly ErrorCode[];

/** Process exit code for an error code (product contract: 0–12, and a shell's 126 and 127). */
export function exitCodeOf(code: ErrorCode): number {
  return table[code].exit;
}

/** HTTP status for an error code. */
export function statusOf(code: ErrorCode): number {
  return table[code].status;
}

/** The page of the manual about errors of this code; `undefined` where the hint is enough. */
export function topicOf(code: ErrorCode): string | undefined {
  const entry: ErrorEntry = table[code];
  return entry.topic;
}

const systemReasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
  ENOENT: 'no such file or directory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'a part of its path is not a directory',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
};

/** Why a system call failed, in words where there are any: `permission denied`. */
export function systemReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? 'unknown reason' : (systemReasons[code] ?? code);
}

/** Whether the system's code for a failed call means that a disk, or what a user may fill of it, is full. */
export function isStorageFull(systemCode: string | undefined): boolean {
  return systemCode === 'ENOSPC' || systemCode === 'EDQUOT';
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(table, value);
}

/** The error itself, or `Unexpected` with the original as its unprinted cause. */
export function asAuthsomeError(error: unknown): AuthsomeError {
  if (error instanceof AuthsomeError) return error;
  const kind = error instanceof Error ? error.name : typeof error;
  return new AuthsomeError('Unexpected', `something went wrong inside authsome (${kind})`, { cause: error });
}

/** What any failure looks like on the wire and under `--json`. */
export interface ErrorDocument {
  readonly v: 1;
  readonly error: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  /** The command that shows the page of the manual about it. */
  readonly help?: string;
}

export function errorDocument(error: AuthsomeError): ErrorDocument {
  const topic = topicOf(error.code);
  return {
    v: 1,
    error: error.code,
    message: error.message,
    hint: error.hint ?? null,
    ...(topic === undefined ? {} : { help: `authsome help ${topic}` }),
  };
}
