import type { AuthSession } from '../../../connections/index.ts';
import { connectedPage, endedSessionPage, failedPage, waitingPage } from '../../pages/index.ts';
import { sentence } from './sentence.ts';

/** The page of a sign-in that asks for nothing now: what it waits for, or how it ended. */
export function statePage(session: AuthSession, settingsUrl: string | undefined): string {
  const { displayName, connection, provider, granted, failure, flow, redirectUri } = session;
  switch (session.status) {
    case 'waiting':
      return waitingPage({
        displayName,
        authorizationUrl: session.authUrl,
        device:
          session.verificationUri === undefined || session.userCode === undefined
            ? undefined
            : { verificationUri: session.verificationUri, userCode: session.userCode },
        client: flow === 'pkce' ? { redirectUri, settingsUrl, provider } : undefined,
      });
    case 'connected':
      return connectedPage({
        displayName,
        connection,
        account: granted?.account,
        scopes: granted?.scopes ?? [],
        isRenewed: granted?.refreshable === true,
        expiresAt:
          granted?.expiresAtMs === undefined ? undefined : new Date(granted.expiresAtMs).toISOString(),
      });
    case 'failed':
    case 'expired':
      return failedPage({
        kind: session.status === 'failed' ? 'bad' : 'warn',
        heading: session.status === 'failed' ? `${displayName} is not connected` : 'This sign-in has expired',
        cause: sentence(withDisplayName(failure?.message ?? 'the sign-in failed', session)),
        hint: failure?.hint ?? `Start again with: ${session.signInAgain}`,
        settingsUrl,
      });
    case 'cancelled':
      return endedSessionPage('cancelled', session.signInAgain);
  }
}

/** A terminal says `acme`, which is what one types there; a page says what people call it. */
function withDisplayName(message: string, { provider, displayName }: AuthSession): string {
  return message.startsWith(`${provider} `) ? displayName + message.slice(provider.length) : message;
}
