import { setTimeout as sleep } from 'node:timers/promises';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { bindingTo, doubtClient, findClient, type StoredSession, secretsOf } from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import type { FlowContext, OauthFlow } from './flows/index.ts';
import { complete, finish } from './sign-in-completion.ts';
import { failSession, flowOf, providerOf, type SignInContext, withSession } from './sign-in-context.ts';

/**
 * Continues a session as far as that needs no person, and returns it as it is then. A flow that polls continues in the
 * background; its result is in the session, so that no caller has to wait for it.
 */
export async function resumeSession(context: SignInContext, session: StoredSession): Promise<StoredSession> {
  const flow = flowOf(context, session);
  if (flow.kind === 'secret' || !isResumable(session, flow)) return session;
  if (flow.pauseMs === undefined) return await resumeOnce(context, session.id, flow);
  // If the vault fails, the session stays for the next start of the daemon.
  pollSession(context, session.id, flow).catch(() => undefined);
  return session;
}

function isResumable({ status, stage }: StoredSession, { resumesAt }: OauthFlow): boolean {
  return status === 'waiting' && stage === resumesAt;
}

/** The first to take the lease does the work; the others see its result. */
async function resumeOnce(context: SignInContext, id: string, flow: OauthFlow): Promise<StoredSession> {
  try {
    return await withSession(context, id, () => takeStep(context, id, flow));
  } catch (error) {
    return await failSession(context, id, asAuthsomeError(error));
  }
}

/** Polls until the session is over. Never rejects while the vault works. */
async function pollSession(context: SignInContext, id: string, flow: OauthFlow): Promise<void> {
  const { nowMs, pause = sleepQuietly } = context.options;
  // Twice as many polls would be asked to slow down.
  if (context.polling.has(id)) return;
  context.polling.add(id);
  try {
    for (;;) {
      const session = await context.sessions.read(id);
      if (!isResumable(session, flow) || session.expiresAtMs <= nowMs()) return;
      await pause(flow.pauseMs?.(session) ?? 0);
      // One poll at a time, also where several daemons share the database.
      await withSession(context, id, async () => {
        await takeStep(context, id, flow).catch((error) => failSession(context, id, asAuthsomeError(error)));
      });
    }
  } finally {
    context.polling.delete(id);
  }
}

const sleepQuietly: NonNullable<ConnectionsOptions['pause']> = (ms) => sleep(ms, undefined, { ref: false });

/** One step under the session's lease. */
async function takeStep(context: SignInContext, id: string, flow: OauthFlow): Promise<StoredSession> {
  const { sessions, connections, options } = context;
  const session = await sessions.read(id);
  if (!isResumable(session, flow)) return session;
  const found = await connections.find(session.provider, session.connection);
  // The daemon stopped after the connection was stored.
  if (found?.connection.signIn === id) return await finish(context, session, found.connection);
  const attempt = await attemptOf(context, session);
  const { provider, endpoints, client } = attempt;
  const step = await flow.resume(attempt);
  if (step.kind === 'unfinished') {
    const { change } = step;
    if (change === undefined) return session;
    return await sessions.update(id, (current) =>
      current.status === 'waiting' ? change(current) : undefined,
    );
  }
  const { scopes, expiresAtMs, remark } = step.tokens;
  const secrets = secretsOf(step.tokens);
  const grant = {
    secrets,
    scopes,
    expiresAtMs,
    authType: provider.authType,
    refreshable: flow.refresh.isPossible(secrets),
    binding: bindingTo(client.clientId, endpoints),
  };
  const ended = await complete(context, { session, provider, grant, found, remark });
  if (client.doubt !== undefined) await doubtClient(options.vault, provider, client.clientId, undefined);
  return ended;
}

async function attemptOf(
  context: SignInContext,
  session: StoredSession,
): Promise<FlowContext<StoredSession>> {
  const { options } = context;
  const provider = providerOf(context, session);
  const { endpoints, clientId } = session;
  if (endpoints === undefined) throw new TypeError(`a session without endpoints: ${session.id}`);
  const client = await findClient(options.vault, provider, endpoints, clientId);
  if (client === undefined || client.clientId !== clientId) {
    throw new AuthsomeError('SignInFailed', `the OAuth client of ${session.provider} has been replaced`, {
      hint: `Start again with: ${sessionLine(options.catalog, session)}`,
    });
  }
  return { options, session, provider, endpoints, client };
}
