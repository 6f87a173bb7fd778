import { AuthsomeError } from '../../errors.ts';
import { sameText } from '../../oauth/index.ts';
import type { Browser } from '../contract.ts';
import { hashOf, type StoredSession } from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import type { SignInContext } from './sign-in-context.ts';

/** The cookie by which the sign-in knows this browser; `undefined` for another browser. */
export function knownCookie(
  { id, browserHash }: StoredSession,
  browser: Browser | undefined,
): string | undefined {
  if (browserHash === undefined) return undefined;
  return browser?.cookiesFor(id).find((cookie) => sameText(hashOf(cookie), browserHash));
}

export function isKnownBrowser(session: StoredSession, browser: Browser | undefined): boolean {
  return knownCookie(session, browser) !== undefined;
}

/** Whether the browser may take part: it is known, or none is. */
export function mayTakePart(session: StoredSession, browser: Browser | undefined): boolean {
  return session.browserHash === undefined || isKnownBrowser(session, browser);
}

/** The value of a new cookie. */
export function newCookie({ options }: SignInContext): string {
  return Buffer.from(options.randomBytes(32)).toString('base64url');
}

/** Why a sign-in ends whose address a second browser opened. */
export function openedElsewhere({ options }: SignInContext, session: StoredSession): AuthsomeError {
  return new AuthsomeError(
    'OpenedElsewhere',
    'another browser or program opened the address of this sign-in, so it has ended',
    {
      hint: [
        'Nothing more was accepted. If you opened it twice yourself, use one browser only.',
        'If not, find out which program did before you try again.',
        `Start again with: ${sessionLine(options.catalog, session)}`,
      ].join('\n'),
    },
  );
}

/** The warning for a sign-in that was over when a second browser opened its address. */
export function openedAfterwards(session: StoredSession): AuthsomeError {
  const { provider, connection, isClientEntered } = session;
  const named = connection === 'default' ? provider : `${provider} --connection ${connection}`;
  const undo = isClientEntered === true ? `authsome revoke ${provider}` : `authsome logout ${named}`;
  return new AuthsomeError(
    'OpenedElsewhere',
    'two browsers opened the address of this sign-in: one completed it, the other came later',
    {
      hint: [
        'If you completed it yourself, there is nothing to do.',
        `If not, the account may be somebody else's. Remove it: ${undo}`,
      ].join('\n'),
    },
  );
}

/** Why a browser is refused that comes back from the provider without the cookie. The sign-in keeps waiting. */
export function cameFromElsewhere(session: StoredSession): AuthsomeError {
  return new AuthsomeError(
    'OpenedElsewhere',
    `a browser came back from ${session.displayName} that is not the one which opened this sign-in`,
    {
      hint: [
        'Nothing was accepted from it. Finish in the first browser.',
        'If this one is yours, too, paste its address into the waiting terminal.',
      ].join('\n'),
    },
  );
}
