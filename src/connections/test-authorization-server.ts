/** A real authorization server on loopback, for the tests of this room. Not used by the product. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Configuration, Provider } from 'oidc-provider';
import type { OauthDefinition } from '../providers/index.ts';

export const testClient = { clientId: 'the-client', clientSecret: 'the-client-secret-0123456789' };
export const testRedirectUri = 'http://127.0.0.1:7998/auth/callback/oauth';

export interface TestAuthorizationServer {
  readonly issuer: string;
  /** What a definition of this server says. */
  readonly oauth: Partial<OauthDefinition>;
  /** Everything that was asked of the token and revocation endpoints, oldest first. */
  readonly requests: { readonly path: string; readonly status: number }[];
  /** Signs in as a browser would; returns the redirect URL that the browser ends on. */
  approve(authorizationUrl: string): Promise<URL>;
  /** Whether an access token works. */
  accepts(accessToken: string): Promise<boolean>;
  /** Requests to this path fail with 503 until told otherwise. */
  readonly broken: Set<string>;
  close(): Promise<void>;
}

export async function startAuthorizationServer(): Promise<TestAuthorizationServer> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration());
  const answer = provider.callback();
  const requests: { path: string; status: number }[] = [];
  const broken = new Set<string>();

  server.on('request', (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname;
    if (path.startsWith('/token'))
      response.on('finish', () => requests.push({ path, status: response.statusCode }));
    if (broken.has(path)) {
      response.writeHead(503, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
    } else if (path.startsWith('/approve/')) {
      void provider.interactionFinished(request, response, { login: { accountId: 'octocat' }, consent: {} });
    } else {
      void answer(request, response);
    }
  });

  return {
    issuer,
    requests,
    broken,
    oauth: {
      issuer,
      authorizationUrl: `${issuer}/auth`,
      tokenUrl: `${issuer}/token`,
      revocationUrl: `${issuer}/token/revocation`,
      scopes: ['openid', 'offline_access'],
      authorizationParams: { prompt: 'consent' },
      account: { url: `${issuer}/me`, field: 'sub' },
    },

    async approve(authorizationUrl) {
      const cookies = new Map<string, string>();
      let url = new URL(authorizationUrl);
      for (let hop = 0; hop < 10; hop += 1) {
        const response = await fetch(url, {
          redirect: 'manual',
          headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        });
        for (const cookie of response.headers.getSetCookie()) {
          const [pair = ''] = cookie.split(';');
          cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
        }
        const location = response.headers.get('location');
        if (location === null)
          throw new Error(`no redirect but ${response.status}: ${await response.text()}`);
        url = new URL(location, url);
        if (url.href.startsWith(testRedirectUri)) return url;
      }
      throw new Error('too many redirects');
    },

    async accepts(accessToken) {
      const response = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${accessToken}` } });
      return response.status === 200;
    },

    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function configuration(): Configuration {
  return {
    clients: [
      {
        client_id: testClient.clientId,
        client_secret: testClient.clientSecret,
        redirect_uris: [testRedirectUri],
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/approve/${interaction.uid}` },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: 3600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 86_400,
      Interaction: 600,
      IdToken: 600,
    },
    async loadExistingGrant(context) {
      const { client, session, provider } = context.oidc as typeof context.oidc & { provider: Provider };
      const grant = new provider.Grant({
        clientId: client?.clientId as string,
        accountId: session?.accountId as string,
      });
      grant.addOIDCScope('openid offline_access');
      await grant.save();
      return grant;
    },
  };
}
