import type { TokenSet } from '../../oauth/index.ts';
import type { ApprovedHosts, FlowName, Provider } from '../../providers/index.ts';
import type { StoredRecord, Vault } from '../../vault/index.ts';
import type { ConnectionStatus, ConnectionSummary } from '../contract.ts';
import { connectionKey } from '../names.ts';
import { withoutUndefined } from './stored-fields.ts';

/** A connection without its secrets. */
export interface Connection {
  readonly provider: string;
  readonly name: string;
  readonly authType: Provider['authType'];
  readonly flow: FlowName;
  /** `expired` is never stored: it follows from the clock. */
  readonly state: 'connected' | 'invalid';
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | undefined;
  readonly obtainedAtMs: number;
  readonly baseUrl: string | undefined;
  readonly account: string | undefined;
  readonly refreshable: boolean;
  /** Where its tokens came from: they go nowhere else. */
  readonly binding: TokenBinding | undefined;
  /** Where its credential may be sent; `undefined`, so nowhere, until `start` has approved an old record's hosts. */
  readonly approved: ApprovedHosts | undefined;
  /** Id of the sign-in that made it: a sign-in taken up after a crash can tell that it was done. */
  readonly signIn: string;
  readonly version: number;
}

/** The client and the endpoints that a grant belongs to. */
export interface TokenBinding {
  readonly clientId: string;
  readonly issuer: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  /** As in `Endpoints`. */
  readonly namedHost: string | undefined;
}

/** What a grant from these endpoints to this client belongs to. */
export function bindingTo(clientId: string, endpoints: Omit<TokenBinding, 'clientId'>): TokenBinding {
  const { issuer, tokenUrl, revocationUrl, namedHost } = endpoints;
  return { clientId, issuer, tokenUrl, revocationUrl, namedHost };
}

export interface ConnectionSecrets {
  readonly accessToken?: string;
  readonly refreshToken?: string;
  readonly apiKey?: string;
  /** Of a program's own sign-in: the service's answer as the program gets it again, JSON without tokens. */
  readonly answer?: string;
  /** Of a program's own client that has one, though everybody can read it in the program (RFC 8252 §8.5). */
  readonly clientSecret?: string;
}

export type NewConnection = Omit<Connection, 'version'>;

export function connectionFrom(record: Omit<StoredRecord, 'secrets'>): Connection {
  // Only this module writes these fields, and the vault authenticates them.
  return { ...(record.fields as unknown as NewConnection), version: record.version };
}

export function secretsFrom(record: StoredRecord): ConnectionSecrets {
  return record.secrets as ConnectionSecrets;
}

/** Writes over `expectedVersion` (0: must not exist); `undefined` when another process wrote first. */
export async function writeConnection(
  vault: Vault,
  connection: NewConnection,
  secrets: ConnectionSecrets,
  expectedVersion: number,
): Promise<StoredRecord | undefined> {
  const { version: _, ...fields } = connection as Connection;
  return await vault.write(
    {
      kind: 'connection',
      name: connectionKey(connection.provider, connection.name),
      fields: withoutUndefined(fields),
      secrets: withoutUndefined(secrets) as Readonly<Record<string, string>>,
    },
    expectedVersion,
  );
}

/** The secrets after a refresh: the old refresh token stays when none came. */
export function secretsOf(tokens: TokenSet, previous?: string): ConnectionSecrets {
  const refreshToken = tokens.refreshToken ?? previous;
  return { accessToken: tokens.accessToken, ...(refreshToken === undefined ? {} : { refreshToken }) };
}

function statusOfConnection(connection: Connection, nowMs: number): ConnectionStatus {
  if (connection.state !== 'connected') return connection.state;
  return connection.expiresAtMs !== undefined && connection.expiresAtMs <= nowMs ? 'expired' : 'connected';
}

/** Whether a sign-in would replace something that still works or may work again. */
export function isUsable(connection: Connection, nowMs: number): boolean {
  const status = statusOfConnection(connection, nowMs);
  return status === 'connected' || (status === 'expired' && connection.refreshable);
}

export function summaryOf(connection: Connection, isDefault: boolean, nowMs: number): ConnectionSummary {
  return {
    provider: connection.provider,
    name: connection.name,
    isDefault,
    authType: connection.authType,
    flow: connection.flow,
    status: statusOfConnection(connection, nowMs),
    scopes: connection.scopes,
    expiresAtMs: connection.expiresAtMs,
    obtainedAtMs: connection.obtainedAtMs,
    refreshable: connection.refreshable,
    baseUrl: connection.baseUrl,
    account: connection.account,
    approved: connection.approved,
  };
}
