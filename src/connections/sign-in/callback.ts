import { sameText, stateMismatch } from '../../oauth/index.ts';
import type { Browser } from '../contract.ts';
import { findClient, hashOf, type StoredSession } from '../records/index.ts';
import { cameFromElsewhere, mayTakePart, newCookie } from './known-browser.ts';
import { pastedLanding } from './pasted-redirect.ts';
import { resumeSession } from './resume.ts';
import { settleSession } from './session-expiry.ts';
import { failSession, flowOf, providerOf, type SignInContext, troubleOf } from './sign-in-context.ts';

/** The session whose state a callback brings, or `undefined`. */
export async function findByCallback(
  { sessions }: SignInContext,
  params: URLSearchParams,
): Promise<StoredSession | undefined> {
  const [state, ...others] = params.getAll('state');
  return state === undefined || others.length > 0 ? undefined : await sessions.findByState(state);
}

/**
 * The session that a callback belongs to, after it. Rejects with StateMismatch when there is none, with OpenedElsewhere when
 * it belongs to another browser.
 */
export async function takeCallback(
  context: SignInContext,
  landing: URL,
  browser: Browser | undefined,
): Promise<StoredSession> {
  const known = await findByCallback(context, landing.searchParams);
  if (known === undefined) return await refuseCallback(context);
  if (!mayTakePart(known, browser)) return await refuseBrowser(context, known);
  const found = await settleSession(context, known);
  // From now on this browser is the only one. It may also see why it comes too late.
  const cookie = newCookie(context);
  const own = browser === undefined ? undefined : hashOf(cookie);
  const admit = (current: StoredSession): Admission | undefined =>
    mayTakePart(current, browser) ? { browserHash: current.browserHash ?? own } : undefined;
  const taken =
    found.status === 'expired'
      ? await context.sessions.update(found.id, admit)
      : await useCallback(context, found, landing, admit);
  if (taken === undefined) return await refuseCallback(context);
  if (own !== undefined && taken.browserHash === own) browser?.giveCookie(taken.id, cookie);
  return taken;
}

/** What a callback writes of its browser. */
type Admission = Pick<StoredSession, 'browserHash'>;

/** As `takeCallback`, from an address that a person pasted into the terminal of this session. */
export async function takePastedCallback(
  context: SignInContext,
  session: StoredSession,
  pasted: string,
): Promise<StoredSession> {
  const landing = pastedLanding(pasted, session.redirectUri ?? context.options.redirectUri);
  const matches = sameText(landing.searchParams.get('state') ?? '', session.secrets.state ?? '');
  // The terminal is the person's, whichever browser the address is from.
  const taken = matches ? await useCallback(context, session, landing, () => ({})) : undefined;
  return taken ?? (await refuseCallback(context));
}

/**
 * Uses up the state of a session and continues from its callback. `undefined` when another callback has already used
 * the state, or the session's flow has no callback, or `admit` returns nothing to write.
 */
async function useCallback(
  context: SignInContext,
  found: StoredSession,
  landing: URL,
  admit: (current: StoredSession) => Admission | undefined,
): Promise<StoredSession | undefined> {
  const flow = flowOf(context, found);
  if (flow.kind === 'secret' || flow.redirect === undefined) return undefined;
  const result = await flow.redirect.readCallback(await callbackContext(context, found), landing);
  // The code is stored before it is used: should the daemon stop now, the next one continues from here.
  let won = false;
  const session = await context.sessions.update(found.id, (current) => {
    const admitted = admit(current);
    won = current.stage === 'authorize' && current.status === 'waiting' && admitted !== undefined;
    if (!won) return undefined;
    const { codeVerifier } = current.secrets;
    const secrets = result.kind === 'code' ? { code: result.code, codeVerifier } : {};
    return { ...admitted, stage: flow.resumesAt, stateHash: undefined, secrets };
  });
  if (!won) return undefined;
  if (result.kind === 'refused') return await failSession(context, session.id, result.error);
  return await resumeSession(context, session);
}

async function callbackContext(context: SignInContext, session: StoredSession) {
  const { options } = context;
  const { endpoints, clientId } = session;
  const provider = providerOf(context, session);
  const found =
    endpoints === undefined ? undefined : await findClient(options.vault, provider, endpoints, clientId);
  // The callback says nothing about a client that has replaced this session's own.
  const client = found?.clientId === clientId ? found : undefined;
  return { options, session, provider, client };
}

/** For a callback of another browser than the sign-in's: it gets a warning, and keeps waiting. */
async function refuseBrowser({ options, sessions }: SignInContext, session: StoredSession): Promise<never> {
  const error = cameFromElsewhere(session);
  const { provider, connection } = session;
  if (await sessions.warn(session.id, troubleOf(error))) {
    const detail = 'a browser without its cookie came back from the provider';
    options.notify({ event: 'sign_in.other_browser', provider, connection, outcome: error.code, detail });
  }
  throw error;
}

/** For a callback that belongs to no session: every waiting one gets a warning, and keeps waiting. */
async function refuseCallback({ options, sessions }: SignInContext): Promise<never> {
  const error = stateMismatch();
  const warned = await sessions.warnWaiting(troubleOf(error));
  for (const { provider, connection } of warned) {
    options.notify({ event: 'sign_in.state_mismatch', provider, connection, outcome: error.code });
  }
  throw error;
}
