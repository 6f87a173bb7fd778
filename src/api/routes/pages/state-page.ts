import type { AuthSession } from '../../../connections/index.ts';
import { cancelledPage, connectedPage, failedPage, waitingPage } from '../../pages/index.ts';
import { sentence } from './sentence.ts';

/** The page of a sign-in that asks for nothing now: what it waits for, or how it ended. */
export function statePage(session: AuthSession, settingsUrl: string | undefined): string {
  const { displayName, connection, provider, granted, failure, flow, redirectUri } = session;
  switch (session.status) {
    case 'waiting':
      return waitingPage({
        displayName,
        authorizationUrl: session.providerUrl,
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
      return cancelledPage(session.signInAgain);
  }
}

/** Of a page that a browser may see: one that comes too late gets no success. */
export function statusOfPage({ status }: AuthSession): 200 | 410 {
  return status === 'expired' ? 410 : 200;
}

/** The page for a browser that opened the address of a sign-in after another one did. */
export function elsewherePage(session: AuthSession): string {
  const { status, displayName, failure, warnings, signInAgain } = session;
  if (status === 'expired') return statePage(session, undefined);
  const trouble = [...warnings, failure].find((each) => each?.error === 'OpenedElsewhere');
  return failedPage({
    kind: status === 'failed' ? 'bad' : 'warn',
    heading: status === 'connected' ? 'This address was used before' : `${displayName} is not connected`,
    cause: sentence(trouble?.message ?? 'another browser opened this address, and the sign-in is over'),
    hint: trouble?.hint ?? `Start again with: ${signInAgain}`,
    settingsUrl: undefined,
  });
}

export function elsewhereStatus({ status }: AuthSession): 403 | 410 {
  return status === 'expired' ? 410 : 403;
}

/** A terminal says `acme`, which is what one types there; a page says what people call it. */
function withDisplayName(message: string, { provider, displayName }: AuthSession): string {
  return message.startsWith(`${provider} `) ? displayName + message.slice(provider.length) : message;
}
