import { findClient, type StoredSession } from '../records/index.ts';
import { flowOf, providerOf, type SignInContext } from './sign-in-context.ts';

/**
 * The session with an unused address, where the one that it had works once and for a time only. Others
 * are returned unchanged. Rejects with SignInFailed or EndpointUnreachable, and the sign-in continues.
 */
export async function renewAddress(context: SignInContext, session: StoredSession): Promise<StoredSession> {
  const { options, sessions } = context;
  const flow = flowOf(context, session);
  const { addressExpiresAtMs, clientId, endpoints } = session;
  if (flow.kind === 'secret' || flow.redirect === undefined) return session;
  if (!isAtProvider(session) || addressExpiresAtMs === undefined || endpoints === undefined) return session;
  const provider = providerOf(context, session);
  const client = await findClient(options.vault, provider, endpoints, clientId);
  if (client === undefined || client.clientId !== clientId) return session;
  const change = await flow.redirect.renewAddress({ options, session, provider, endpoints, client });
  return await sessions.update(session.id, (current) =>
    isAtProvider(current) ? change(current) : undefined,
  );
}

function isAtProvider({ status, stage }: StoredSession): boolean {
  return status === 'waiting' && stage === 'authorize';
}
