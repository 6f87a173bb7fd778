import type { AuthSession } from '../contract.ts';
import type { StoredSession } from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import type { SignInContext } from './sign-in-context.ts';

/** What callers see of a session. */
export function viewOf(context: SignInContext, session: StoredSession): AuthSession {
  const { options, flows } = context;
  const { stage, redirectUri = options.redirectUri } = session;
  // A sign-in that is over can be looked at, whichever version of authsome began it.
  const flow = flows[session.flow];
  const ofFlow = flow?.kind === 'oauth' ? flow.view(session) : {};
  const waiting = session.status === 'waiting';
  const asksFor = waiting && (stage === 'client' || stage === 'secret') ? stage : undefined;
  const providerUrl = waiting && asksFor === undefined ? ofFlow.providerUrl : undefined;
  return {
    id: session.id,
    provider: session.provider,
    displayName: session.displayName,
    connection: session.connection,
    flow: session.flow,
    status: session.status,
    isFromRun: session.isFromRun === true,
    asksFor,
    revision: session.version,
    authUrl:
      session.ticket !== undefined && (asksFor !== undefined || providerUrl !== undefined)
        ? options.ticketUrl(session.id, session.ticket)
        : undefined,
    isInBrowser: session.browserHash !== undefined,
    providerUrl,
    providerUrlExpiresAtMs: ofFlow.providerUrlExpiresAtMs,
    authorizationOrigin: originOf(session.endpoints?.authorizationUrl),
    verificationUri: ofFlow.verificationUri,
    userCode: ofFlow.userCode,
    redirectUri,
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
