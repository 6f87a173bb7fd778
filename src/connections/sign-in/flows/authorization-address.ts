import { AuthsomeError } from '../../../errors.ts';
import {
  type Attempt,
  authorizationRequest,
  clientSecrets,
  type PushedAuthorizationResult,
  pushedAuthorizationRequest,
  pushedAuthorizationUrl,
  readPushedAuthorizationResponse,
} from '../../../oauth/index.ts';
import { clientHint, redirectUriFor, redirectUriOf, tokenEndpoint } from '../../clients/index.ts';
import { fetchTo, pushEndpoint } from '../../discovery/index.ts';
import { sessionLine, sessionPlace } from '../../sign-in-command.ts';
import type { FlowContext } from './flow.ts';

/** Where a browser is sent, or why there is no such address. */
export type Address =
  /** `expiresAtMs` of a pushed request; `undefined`: good as long as the sign-in. */
  | { readonly kind: 'address'; readonly url: string; readonly expiresAtMs: number | undefined }
  | Extract<PushedAuthorizationResult, { kind: 'failed' }>;

/**
 * Where the browser goes. A request is pushed (RFC 9126) only where the server, the client or the definition wants it: what
 * else it would protect, PKCE, the state and the issuer's name protect as well, while its address works once and often for
 * less than a minute, which is short for a person who carries it to another machine.
 */
export async function addressFor(context: FlowContext, attempt: Attempt): Promise<Address> {
  const { options, session, provider, endpoints, client } = context;
  const { requestedScopes } = session;
  if (provider.oauth === undefined || endpoints.authorizationUrl === undefined) {
    throw new AuthsomeError(
      'InvalidDefinition',
      `the definition of ${provider.name} has no authorization_url`,
      {
        hint: `Show it with: authsome inspect ${provider.name}`,
      },
    );
  }
  const { authorizationUrl } = endpoints;
  const redirectUri = redirectUriOf(redirectUriFor(options.redirectUri, provider), client);
  const { scopeSeparator, scopeParameter, authorizationParams, resource } = provider.oauth;
  const request = authorizationRequest(
    {
      authorizationUrl,
      clientId: client.clientId,
      redirectUri,
      scopes: requestedScopes,
      scopeSeparator,
      scopeParameter,
      params: authorizationParams,
      resource,
    },
    attempt,
  );
  const pushUrl = pushEndpoint(provider, endpoints, client.pushRequired);
  if (pushUrl === undefined) return { kind: 'address', url: request.url, expiresAtMs: undefined };
  const sentAtMs = options.nowMs();
  const { authMethod } = tokenEndpoint(provider, endpoints.tokenUrl, client);
  const reply = await pushedAuthorizationRequest(fetchTo(options, endpoints), {
    pushedAuthorizationUrl: pushUrl,
    parameters: request.parameters,
    client,
    authMethod,
  });
  const pushed = readPushedAuthorizationResponse(reply, {
    pushedAuthorizationUrl: pushUrl,
    provider: provider.name,
    signIn: sessionPlace(options.catalog, session),
    settingsUrl: provider.setup.url,
    redirectUri,
    clientHint: clientHint(provider, client, sessionLine(options.catalog, session)),
    sentAtMs,
    secrets: [attempt.state, ...clientSecrets(client)],
  });
  if (pushed.kind === 'failed') return pushed;
  return {
    kind: 'address',
    url: pushedAuthorizationUrl(authorizationUrl, client.clientId, pushed.requestUri),
    expiresAtMs: pushed.expiresAtMs,
  };
}
