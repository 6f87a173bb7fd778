import { asAuthsomeError } from '../../../errors.ts';
import { clientCredentialsTokens } from '../../../oauth/index.ts';
import { tokenEndpoint } from '../../clients/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import type { StoredSession } from '../../records/index.ts';
import { bindingTo, findClient } from '../../records/index.ts';
import { sessionPlace } from '../../sign-in-command.ts';
import { completeWithTokens } from '../sign-in-completion.ts';
import { failSession, providerOf, type SignInContext, withSession } from '../sign-in-context.ts';

/** Signs in as the client itself (RFC 6749 §4.4). Asking twice does no harm: the flow has no grant to lose. */
export async function signInMachine(context: SignInContext, id: string): Promise<StoredSession> {
  try {
    return await withSession(context, id, async () => {
      const session = await context.sessions.read(id);
      const { endpoints } = session;
      if (session.status !== 'waiting' || endpoints === undefined) return session;
      const provider = providerOf(context, session);
      const client = await findClient(context.options.vault, provider, endpoints);
      if (client === undefined) throw new TypeError('a machine sign-in without a client');
      const found = await context.connections.find(session.provider, session.connection);
      const tokens = await clientCredentialsTokens(
        fetchTo(context.options, endpoints),
        {
          ...tokenEndpoint(provider, endpoints.tokenUrl, client),
          signIn: sessionPlace(context.options.catalog, session),
          scopes: session.requestedScopes,
          scopeSeparator: provider.oauth?.scopeSeparator ?? ' ',
        },
        context.options.nowMs,
      );
      const binding = bindingTo(client.clientId, endpoints);
      return await completeWithTokens(context, session, provider, tokens, binding, found);
    });
  } catch (error) {
    return await failSession(context, id, asAuthsomeError(error));
  }
}
