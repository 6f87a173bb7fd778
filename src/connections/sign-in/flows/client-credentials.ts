import { clientCredentialsRequest, clientCredentialsTokens } from '../../../oauth/index.ts';
import { tokenEndpoint } from '../../clients/index.ts';
import { fetchTo } from '../../discovery/index.ts';
import { sessionPlace } from '../../sign-in-command.ts';
import type { OauthFlow } from './flow.ts';

/** Signs in as the client itself (RFC 6749 §4.4). Asking twice does no harm: the flow has no grant to lose. */
export const clientCredentials: OauthFlow = {
  kind: 'oauth',
  endpointsNeeded: [],
  registersClient: false,
  // A definition that supports it has it as its own flow: there is no need to choose it.
  obstacle: ({ oauth }) =>
    oauth === undefined ? 'it does not use OAuth' : 'it does not support client credentials',
  begin: async ({ client }) => ({ stage: 'machine', clientId: client.clientId }),
  resumesAt: 'machine',
  async resume({ options, session, provider, endpoints, client }) {
    const grant = {
      ...tokenEndpoint(provider, endpoints.tokenUrl, client),
      signIn: sessionPlace(options.catalog, session),
      scopes: session.requestedScopes,
      scopeSeparator: provider.oauth?.scopeSeparator ?? ' ',
    };
    const tokens = await clientCredentialsTokens(fetchTo(options, endpoints), grant, options.nowMs);
    return { kind: 'tokens', tokens };
  },
  // RFC 6749 §4.4.3: the client asks again as it did at first, whether or not a refresh token came.
  refresh: {
    isPossible: () => true,
    request: async (fetch, { endpoint, connection: { scopes }, scopeSeparator }) =>
      await clientCredentialsRequest(fetch, { ...endpoint, scopes, scopeSeparator }),
  },
  view: () => ({}),
};
