import { AuthsomeError } from '../../errors.ts';
import type { Provider } from '../../providers/index.ts';
import type { StoredSession } from '../records/index.ts';
import { doubtClient } from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import { notifyFailure, providerOf, type SignInContext, troubleOf } from './sign-in-context.ts';

/** The session as it is now: one whose time ran out ends here. */
export async function settleSession(context: SignInContext, session: StoredSession): Promise<StoredSession> {
  const { options, sessions } = context;
  if (session.status !== 'waiting' || session.expiresAtMs > options.nowMs()) return session;
  if (isAtTokenEndpoint(session)) return session;
  const error = new AuthsomeError('SignInExpired', 'the sign-in was not finished in time', {
    hint: expiredHint(context, session),
  });
  let ended = false;
  const settled = await sessions.update(session.id, (current) => {
    ended = current.status === 'waiting' && !isAtTokenEndpoint(current);
    return ended
      ? // The hash of its state stays: a late callback gets an error that says late, not foreign.
        { status: 'expired', stage: 'over', failure: troubleOf(error), secrets: {} }
      : undefined;
  });
  if (ended) {
    notifyFailure(context, session, error);
    await doubtAfterSilence(context, session);
  }
  return settled;
}

/** A server that has forgotten a client shows that to the person only. */
export async function doubtAfterSilence(context: SignInContext, session: StoredSession): Promise<void> {
  if (session.stage !== 'authorize' || session.clientId === undefined) return;
  if (!registersClient(context, session)) return;
  const provider = providerStillOf(context, session);
  if (provider !== undefined) await doubtClient(context.options.vault, provider, session.clientId, 'silence');
}

/** Whether a response of the token endpoint is awaited: the request has a time limit of its own. */
function isAtTokenEndpoint({ stage }: StoredSession): boolean {
  return stage === 'exchange' || stage === 'machine';
}

function registersClient(context: SignInContext, session: StoredSession): boolean {
  const flow = context.flows[session.flow];
  return flow?.kind === 'oauth' && flow.registersClient;
}

/** `undefined` where the definition has since been removed or broken. */
function providerStillOf(context: SignInContext, session: StoredSession): Provider | undefined {
  try {
    return providerOf(context, session);
  } catch {
    return undefined;
  }
}

/** The likely causes, by where the sign-in stood, each with its fix. */
function expiredHint(context: SignInContext, session: StoredSession): string {
  const { catalog } = context.options;
  const { provider, stage, redirectUri = context.options.redirectUri } = session;
  const again = sessionLine(catalog, session);
  if (stage !== 'authorize') return `Start again with: ${again}`;
  const settingsUrl = providerStillOf(context, session)?.setup.url;
  const where = settingsUrl === undefined ? '' : ` at ${settingsUrl}`;
  return [
    `The browser never came back to ${redirectUri}`,
    `If you did not authorize in time, run: ${again}`,
    'If you did, and nothing happened, check these before you run it again:',
    '- a corporate proxy may intercept 127.0.0.1: add 127.0.0.1 and localhost to NO_PROXY',
    '- another browser profile may not reach this machine: use the profile that belongs to this shell',
    '- the browser may be on another machine: paste its final address into the waiting terminal',
    registersClient(context, session)
      ? `- ${provider} may have forgotten the client that authsome registered there: the next sign-in replaces it`
      : `- ${provider} may have refused the redirect URI: set it to exactly the one above${where}`,
  ].join('\n');
}
