/** A real authorization server on loopback, for the tests of this room. Not used by the product. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Configuration, Provider } from 'oidc-provider';
import type { OauthDefinition } from '../../providers/index.ts';

export const testClient = { clientId: 'the-client', clientSecret: 'the-client-secret-0123456789' };
export const deviceClient = { clientId: 'the-device-client', clientSecret: '' };
export const machineClient = { clientId: 'the-machine', clientSecret: 'the-machine-secret-0123456789' };
/** A service that trusts this server. */
export const testResource = 'https://mcp.localhost/mcp';
export const testRedirectUri = 'http://127.0.0.1:7998/auth/callback/oauth';

/** Where a browser lands with these parameters. */
export function landingWith(
  parameters: string | Readonly<Record<string, string>>,
  redirectUri = testRedirectUri,
): URL {
  return new URL(`${redirectUri}?${new URLSearchParams(parameters)}`);
}

export interface TestAuthorizationServer {
  readonly issuer: string;
  /** What a definition of this server says. */
  readonly oauth: Partial<OauthDefinition>;
  /** Everything that was asked of the token, revocation and pushed request endpoints, oldest first. */
  readonly requests: { readonly path: string; readonly status: number }[];
  /** Signs in as a browser would; returns the redirect URL that the browser ends on. */
  approve(authorizationUrl: string): Promise<URL>;
  /** Enters a user code and approves it, as a person at another machine would. */
  approveDevice(verificationUri: string): Promise<void>;
  /** Whether an access token works. */
  accepts(accessToken: string): Promise<boolean>;
  /** Requests to this path fail with 503 until removed from it. */
  readonly broken: Set<string>;
  close(): Promise<void>;
}

export async function startAuthorizationServer(
  features: Configuration['features'] = {},
): Promise<TestAuthorizationServer> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configuration(features));
  const handle = provider.callback();
  const requests: { path: string; status: number }[] = [];
  const broken = new Set<string>();

  server.on('request', (request, response) => {
    const path = new URL(request.url ?? '/', issuer).pathname;
    if (path.startsWith('/token') || path === '/request')
      response.on('finish', () => requests.push({ path, status: response.statusCode }));
    if (broken.has(path)) {
      response.writeHead(503, { 'content-type': 'text/html' }).end('<html>maintenance</html>');
    } else if (path.startsWith('/approve/')) {
      void provider.interactionFinished(request, response, { login: { accountId: 'octocat' }, consent: {} });
    } else {
      void handle(request, response);
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
      deviceAuthorizationUrl: `${issuer}/device/auth`,
      scopes: ['openid', 'offline_access'],
      authorizationParams: { prompt: 'consent' },
      account: { url: `${issuer}/me`, field: 'sub' },
    },

    async approve(authorizationUrl) {
      const { url } = await browse(new Map(), new URL(authorizationUrl));
      if (!isRedirect(url)) throw new Error('the browser did not come back');
      return url;
    },

    async approveDevice(verificationUri) {
      const cookies = new Map<string, string>();
      const code = await browse(cookies, new URL(verificationUri));
      const confirm = await browse(cookies, new URL(`${issuer}/device`), {
        xsrf: xsrfIn(code.text),
        user_code: new URL(verificationUri).searchParams.get('user_code') ?? '',
      });
      const done = await browse(cookies, new URL(`${issuer}/device`), {
        xsrf: xsrfIn(confirm.text),
        user_code: new URL(verificationUri).searchParams.get('user_code') ?? '',
        confirm: 'yes',
      });
      if (!done.text.includes('Success')) throw new Error(`not approved: ${done.text}`);
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

function xsrfIn(html: string): string {
  return /name="xsrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
}

/** By name or by address. */
function isRedirect({ href }: URL): boolean {
  return href.replace('http://localhost:', 'http://127.0.0.1:').startsWith(testRedirectUri);
}

/** Follows redirects with cookies, to the first page or to our redirect URI. */
async function browse(
  cookies: Map<string, string>,
  start: URL,
  form?: Readonly<Record<string, string>>,
): Promise<{ readonly url: URL; readonly text: string }> {
  let url = start;
  let init: RequestInit = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
  for (let hop = 0; hop < 12; hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    const location = response.headers.get('location');
    const text = await response.text();
    if (location === null) return { url, text };
    url = new URL(location, url);
    if (isRedirect(url)) return { url, text };
    init = {};
  }
  throw new Error('too many redirects');
}

function configuration(features: Configuration['features']): Configuration {
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
      {
        client_id: deviceClient.clientId,
        redirect_uris: [],
        application_type: 'native',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        token_endpoint_auth_method: 'none',
      },
      {
        client_id: machineClient.clientId,
        client_secret: machineClient.clientSecret,
        redirect_uris: [],
        grant_types: ['client_credentials'],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
        scope: 'read',
      },
    ],
    scopes: ['openid', 'offline_access', 'read'],
    clientDefaults: { scope: 'openid offline_access read' },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      deviceFlow: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'opaque' }),
      },
      ...features,
    },
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
      grant.addOIDCScope('openid offline_access read');
      grant.addResourceScope(testResource, 'read');
      await grant.save();
      return grant;
    },
  };
}
