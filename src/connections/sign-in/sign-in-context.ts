import type { AuthsomeError } from '../../errors.ts';
import type { FlowName, Provider } from '../../providers/index.ts';
import type { ConnectionsOptions, Trouble } from '../contract.ts';
import type { ConnectionStore, NewSession, SessionStore, StoredSession } from '../records/index.ts';
import type { Flow, FlowTable } from './flows/index.ts';

/** What every step of a sign-in needs. */
export interface SignInContext {
  readonly options: ConnectionsOptions;
  readonly sessions: SessionStore;
  readonly connections: ConnectionStore;
  readonly flows: FlowTable;
  /** Ids of the sessions that are polled for. */
  readonly polling: Set<string>;
}

export function providerOf(
  context: SignInContext,
  session: Pick<NewSession, 'provider' | 'baseUrl'>,
): Provider {
  return context.options.catalog.resolve(session.provider, session.baseUrl);
}

export function flowOf({ flows }: SignInContext, { flow: name }: { readonly flow: FlowName }): Flow {
  const flow = flows[name];
  if (flow === undefined) throw new TypeError(`a sign-in by an unknown flow: ${name}`);
  return flow;
}

/** How long a sign-in waits to be taken up after the daemon died; a living holder renews its lease. */
const leaseMs = 15_000;

/** Runs `work` while nobody else, in this process or another, talks to the provider for this session. */
export async function withSession<Result>(
  context: SignInContext,
  id: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return await context.options.vault.exclusively(`auth-session/${id}`, leaseMs, work);
}

export function troubleOf(error: AuthsomeError): Trouble {
  return {
    error: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  };
}

/** Ends a waiting session with this error; what was secret in it is forgotten. */
export async function failSession(
  context: SignInContext,
  id: string,
  error: AuthsomeError,
): Promise<StoredSession> {
  let ended = false;
  const session = await context.sessions.update(id, ({ status }) => {
    ended = status === 'waiting';
    return ended
      ? { status: 'failed', stage: 'over', failure: troubleOf(error), secrets: {}, stateHash: undefined }
      : undefined;
  });
  if (ended) notifyFailure(context, session, error);
  return session;
}

export function notifyFailure(
  { options }: SignInContext,
  { provider, connection }: Pick<NewSession, 'provider' | 'connection'>,
  error: AuthsomeError,
): void {
  options.notify({ event: 'sign_in.failed', provider, connection, outcome: error.code });
}
