import type { AuthSession, ConnectionsOptions } from '../contract.ts';
import type { StoredSession } from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';

/** What onlookers see of a session. */
export function viewOf(session: StoredSession, options: ConnectionsOptions): AuthSession {
  const { secrets, stage } = session;
  const waiting = session.status === 'waiting';
  const asksFor = waiting && (stage === 'client' || stage === 'secret') ? stage : undefined;
  return {
    id: session.id,
    provider: session.provider,
    displayName: session.displayName,
    connection: session.connection,
    flow: session.flow,
    status: session.status,
    asksFor,
    revision: session.version,
    authUrl:
      asksFor === undefined
        ? (secrets.authorizationUrl ?? secrets.verificationUriComplete ?? secrets.verificationUri)
        : options.pageUrl(session.id),
    authUrlExpiresAtMs: waiting && stage === 'authorize' ? session.addressExpiresAtMs : undefined,
    authorizationOrigin: originOf(session.endpoints?.authorizationUrl),
    verificationUri: secrets.verificationUri,
    userCode: secrets.userCode,
    redirectUri: options.redirectUri,
    warnings: session.warnings,
    failure: session.failure,
    expiresAtMs: session.expiresAtMs,
    granted: session.granted,
    baseUrl: session.baseUrl,
    requestedScopes: session.requestedScopes,
    signInAgain: sessionLine(options.catalog, session),
  };
}

function originOf(url: string | undefined): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : new URL(url).origin;
}
