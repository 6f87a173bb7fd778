import { sameText } from '../../oauth/index.ts';
import type { Browser } from '../contract.ts';
import { forgetEnteredClient, hashOf, type StoredSession, sessionNotFound } from '../records/index.ts';
import { renewAddress } from './address-renewal.ts';
import { isKnownBrowser, newCookie, openedAfterwards, openedElsewhere } from './known-browser.ts';
import { settleSession } from './session-expiry.ts';
import { failSession, providerOf, type SignInContext, troubleOf, withSession } from './sign-in-context.ts';

/**
 * A ticket is in the address that a browser is started with, where other users of the machine may read it. So it works
 * once: the first browser gets a cookie, and the sign-in accepts only that browser. A second one shows that somebody else
 * has the address, and which of the two is the person's nobody can tell: the sign-in ends.
 */
export function newTicket({ options }: SignInContext): { ticket: string; ticketHash: string } {
  const ticket = Buffer.from(options.randomBytes(24)).toString('base64url');
  return { ticket, ticketHash: hashOf(ticket) };
}

interface TicketUse {
  readonly isAdmitted: boolean;
  readonly session: StoredSession;
}

/** A browser uses a ticket. Rejects with SessionNotFound when there is no such ticket. */
export async function useTicket(
  context: SignInContext,
  browser: Browser,
  id: string,
  ticket: string,
): Promise<TicketUse> {
  const known = await context.sessions.read(id);
  if (!sameText(hashOf(ticket), known.ticketHash ?? '')) throw sessionNotFound();
  const current = await settleSession(context, known);
  if (isKnownBrowser(current, browser)) {
    // An address that works once may have been used. A person comes back to the provider all the same.
    const renewed = renewAddress(context, current).catch(() => current);
    return { isAdmitted: true, session: await renewed };
  }
  const cookie = newCookie(context);
  let isFirst = false;
  const session = await context.sessions.update(id, ({ browserHash }) => {
    isFirst = browserHash === undefined;
    return isFirst ? { browserHash: hashOf(cookie) } : undefined;
  });
  if (!isFirst) return { isAdmitted: false, session: await endForSecond(context, session) };
  browser.giveCookie(id, cookie);
  return { isAdmitted: true, session };
}

/** Ends a sign-in whose ticket is used a second time. One that is connected already gets a warning. */
async function endForSecond(context: SignInContext, { id }: StoredSession): Promise<StoredSession> {
  // After a response that is under way: what the provider has granted by then is kept and reported.
  return await withSession(context, id, async () => {
    const session = await context.sessions.read(id);
    if (session.status === 'waiting') {
      const ended = await failSession(context, id, openedElsewhere(context, session));
      await forgetClientOf(context, session);
      return ended;
    }
    if (session.status !== 'connected') return session;
    return await warnOnce(context, session);
  });
}

/** A client that was entered on the page may be that of the other browser's user: no later sign-in may use it. */
async function forgetClientOf(context: SignInContext, session: StoredSession): Promise<void> {
  const { clientId, isClientEntered } = session;
  if (isClientEntered !== true || clientId === undefined) return;
  await forgetEnteredClient(context.options.vault, providerOf(context, session), clientId);
}

async function warnOnce(context: SignInContext, session: StoredSession): Promise<StoredSession> {
  const warning = troubleOf(openedAfterwards(session));
  let isNew = false;
  const warned = await context.sessions.update(session.id, ({ warnings }) => {
    isNew = !warnings.some(({ error }) => error === warning.error);
    return isNew ? { warnings: [...warnings, warning] } : undefined;
  });
  if (isNew) {
    context.options.notify({
      event: 'sign_in.other_browser',
      provider: session.provider,
      connection: session.connection,
      outcome: warning.error,
      detail: 'a second browser opened the address after the sign-in was connected',
    });
  }
  return warned;
}
