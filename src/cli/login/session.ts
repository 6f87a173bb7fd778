import type { AuthSessionDocument, Client } from '../../client/index.ts';
import { AuthsomeError, isErrorCode } from '../../errors.ts';
import { safe } from '../output/safe-text.ts';

/** How long the daemon may delay one response, waiting for a change. */
const waitMs = 20_000;
/** The daemon may restart during a sign-in. The sign-in survives that, and so does waiting for it. */
const maxBroken = 5;

/** The session when it has ended; calls `changed` for every state before. Rejects with `Cancelled` on `signal`. */
export async function followSession(
  client: Client,
  first: AuthSessionDocument,
  { changed, signal }: { changed(session: AuthSessionDocument): void; readonly signal: AbortSignal },
): Promise<AuthSessionDocument> {
  let session = first;
  let broken = 0;
  while (session.status === 'waiting') {
    try {
      const next = await client.authSession(session.session_id, { seen: session.revision, waitMs, signal });
      broken = 0;
      if (next.revision !== session.revision) changed(next);
      session = next;
    } catch (error) {
      const isBroken = error instanceof AuthsomeError && error.code === 'DaemonUnavailable';
      if (signal.aborted || !isBroken || ++broken > maxBroken) throw error;
    }
  }
  return session;
}

/** What an ended session throws; `undefined` when it ended well. */
export function failureOf(session: AuthSessionDocument): AuthsomeError | undefined {
  const { status, failure } = session;
  if (status === 'connected' || status === 'waiting') return undefined;
  if (failure !== null) {
    const code = isErrorCode(failure.error) ? failure.error : 'SignInFailed';
    return new AuthsomeError(code, failure.message, failure.hint === undefined ? {} : { hint: failure.hint });
  }
  if (status === 'cancelled') return cancelled();
  return new AuthsomeError('SignInExpired', 'the sign-in was not finished in time', {
    hint: `Start again with: ${session.sign_in_again}`,
  });
}

/** The error of a cancelled sign-in. Its hint names what may have gone wrong at the provider's page. */
export function cancelled(session?: AuthSessionDocument, settingsUrl?: string): AuthsomeError {
  const isAtProvider = session !== undefined && !session.accepts_client && session.provider_url !== null;
  if (isAtProvider && session.flow === 'dcr_pkce') {
    return new AuthsomeError('Cancelled', 'sign-in cancelled', {
      hint:
        `If ${safe(session.display_name).written} did not know the client, register a new one with:\n` +
        session.sign_in_again,
    });
  }
  if (!isAtProvider || session.flow !== 'pkce') return new AuthsomeError('Cancelled', 'sign-in cancelled');
  const where = settingsUrl === undefined ? '' : `\nat ${safe(settingsUrl).written}`;
  return new AuthsomeError('Cancelled', 'sign-in cancelled', {
    hint:
      `If ${safe(session.display_name).written} refused the redirect URI, set the callback URL to exactly\n` +
      `${session.redirect_uri}${where}\nand run: ${session.sign_in_again}`,
  });
}
