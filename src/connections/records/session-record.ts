import type { ApprovedHosts, FlowName } from '../../providers/index.ts';
import type { StoredRecord } from '../../vault/index.ts';
import type { AuthSession, SessionStatus, Trouble } from '../contract.ts';
import type { Endpoints } from '../discovery/index.ts';
import { withoutUndefined } from './stored-fields.ts';

/**
 * Where a sign-in stands. `client`, `secret` and `authorize` wait for a person, `device` for a person and the token
 * endpoint, `exchange` (of a code) and `machine` (client credentials) for the token endpoint only.
 */
type SessionStage = 'client' | 'secret' | 'authorize' | 'exchange' | 'device' | 'machine' | 'over';

interface SessionFields {
  readonly provider: string;
  readonly displayName: string;
  readonly connection: string;
  readonly flow: FlowName;
  readonly baseUrl?: string | undefined;
  /** Those of the definition when the sign-in began: one that changes meanwhile gains the connection nothing. */
  readonly approved?: ApprovedHosts | undefined;
  readonly force: boolean;
  /** Whether it was begun from inside of a run, which may then take part in it. */
  readonly isFromRun?: boolean | undefined;
  readonly requestedScopes: readonly string[];
  readonly stage: SessionStage;
  readonly status: SessionStatus;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly endpoints?: Endpoints | undefined;
  readonly clientId?: string | undefined;
  /** Whether a client was registered in the place of one that the server refused: once is enough. */
  readonly hasNewClient?: boolean | undefined;
  /** Where the provider sends the browser; `undefined` until that is known. */
  readonly redirectUri?: string | undefined;
  /** SHA-256 of the ticket, which is asked about after the sign-in is over, too. */
  readonly ticketHash?: string | undefined;
  /** SHA-256 of the cookie of the one browser that this sign-in accepts; `undefined` until there is one. */
  readonly browserHash?: string | undefined;
  /** Whether its OAuth client was entered while a browser had its page. */
  readonly isClientEntered?: boolean | undefined;
  /** SHA-256 of the state, to find the session of a callback without decrypting the others. */
  readonly stateHash?: string | undefined;
  /** Of an address that works once and for a time (RFC 9126 §2.2). */
  readonly addressExpiresAtMs?: number | undefined;
  /** Device flow: how long to wait between two polls. */
  readonly intervalMs?: number | undefined;
  /** Device flow: how long the server wants not to be asked, before the next poll only. */
  readonly retryAfterMs?: number | undefined;
  readonly warnings: readonly Trouble[];
  readonly failure?: Trouble | undefined;
  readonly granted?: AuthSession['granted'];
}

interface SessionSecrets {
  readonly state?: string | undefined;
  readonly codeVerifier?: string | undefined;
  /** Where the browser goes: contains the state. */
  readonly authorizationUrl?: string | undefined;
  readonly code?: string | undefined;
  readonly deviceCode?: string | undefined;
  readonly userCode?: string | undefined;
  readonly verificationUri?: string | undefined;
  readonly verificationUriComplete?: string | undefined;
}

/** A sign-in in progress as the vault keeps it. `version` is the revision that callers see. */
export interface StoredSession extends SessionFields {
  readonly id: string;
  readonly version: number;
  /** What makes the address for the browser hard to guess. Sealed, and forgotten when the sign-in is over. */
  readonly ticket?: string | undefined;
  readonly secrets: SessionSecrets;
}

export type NewSession = Omit<StoredSession, 'version'>;

export function sessionFrom(record: StoredRecord): StoredSession {
  const { ticket, ...secrets } = record.secrets;
  return {
    // Only this module writes these fields, and the vault authenticates them.
    ...(record.fields as unknown as SessionFields),
    id: record.name,
    version: record.version,
    ticket,
    secrets,
  };
}

export function recordOf(session: NewSession): Omit<StoredRecord, 'version'> {
  const { id, ticket, secrets, version: _, ...fields } = session as StoredSession;
  const sealed = fields.status === 'waiting' ? { ...secrets, ticket } : secrets;
  return {
    kind: 'auth-session',
    name: id,
    fields: withoutUndefined(fields),
    secrets: withoutUndefined(sealed) as Readonly<Record<string, string>>,
  };
}
