import { webcrypto } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Configuration, type JWK, Provider } from 'oidc-provider';
import { createThrowawayCa } from '../support/service/index.ts';

export const loginHost = 'login.tools.test';
export const mcpHost = 'mcp.tools.test';
/** One that is led astray by its metadata. */
export const strayHost = 'stray.tools.test';
/** The same on a domain of its own. */
export const evilHost = 'mcp.evil.test';
/** One that publishes nothing. */
export const silentHost = 'silent.tools.test';
export const resource = `https://${mcpHost}/v1/mcp`;
export const issuer = `https://${loginHost}`;

export interface ToolCall {
  readonly path: string;
  readonly authorization: string | undefined;
}

/** An MCP-like server that needs a token of its own authorization server, which knows no client until it registers. */
export interface ToolService {
  readonly port: number;
  readonly caPem: string;
  readonly resolve: string;
  /** Metadata of every client that registered. */
  readonly registered: Readonly<Record<string, unknown>>[];
  /** Every authorization request. */
  readonly authorizations: URLSearchParams[];
  readonly calls: ToolCall[];
  /** Every request of any kind: `host method path`. */
  readonly seen: string[];
  /** What the stray hosts say of their authorization servers, and of themselves as one. */
  strayTo(issuers: readonly string[], metadata?: object): void;
  close(): Promise<void>;
}

export async function startToolService(): Promise<ToolService> {
  const ca = await createThrowawayCa('Throwaway tools CA');
  const names = [loginHost, mcpHost, strayHost, evilHost, silentHost];
  const { certPem, keyPem } = await ca.issue([...names, 'localhost']);
  const provider = new Provider(issuer, await configuration());
  const answer = provider.callback();
  const registered: Readonly<Record<string, unknown>>[] = [];
  const authorizations: URLSearchParams[] = [];
  const calls: ToolCall[] = [];
  const seen: string[] = [];
  let strayIssuers: readonly string[] = [];
  let strayMetadata: object | undefined;
  provider.on('registration_create.success', (_context, client) => registered.push({ ...client.metadata() }));

  const login = (request: IncomingMessage, response: ServerResponse, url: URL): void => {
    if (url.pathname === '/authorize') authorizations.push(url.searchParams);
    if (url.pathname.startsWith('/approve/')) {
      const done = { login: { accountId: 'ada' }, consent: {} };
      provider.interactionFinished(request, response, done).catch(() => response.destroy());
    } else {
      answer(request, response).catch(() => response.destroy());
    }
  };

  const tools = async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    if (url.pathname === '/.well-known/oauth-protected-resource/v1/mcp') {
      json(response, 200, {
        resource,
        authorization_servers: [issuer],
        scopes_supported: ['tools:read', 'tools:write'],
      });
      return;
    }
    const { authorization } = request.headers;
    calls.push({ path: url.pathname, authorization });
    const token = await provider.AccessToken.find(authorization?.replace(/^Bearer /, '') ?? '');
    const needed = url.searchParams.has('write') ? 'tools:write' : 'tools:read';
    const about = `resource_metadata="https://${mcpHost}/.well-known/oauth-protected-resource/v1/mcp"`;
    // RFC 8707: a token for another resource is none for this one.
    if (token?.isValid !== true || token.aud !== resource) {
      response.setHeader('www-authenticate', `Bearer scope="tools:read", ${about}`);
      json(response, 401, { error: 'who are you?' });
    } else if (!token.scopes.has(needed)) {
      response.setHeader(
        'www-authenticate',
        `Bearer error="insufficient_scope", scope="${needed}", ${about}`,
      );
      json(response, 403, { error: 'not with this token' });
    } else {
      json(response, 200, { jsonrpc: '2.0', id: 1, result: { tools: [{ name: 'echo' }] } });
    }
  };

  const stray = (response: ServerResponse, host: string, url: URL): void => {
    if (url.pathname.startsWith('/.well-known/oauth-protected-resource')) {
      json(response, 200, { resource: `https://${host}/mcp`, authorization_servers: strayIssuers });
    } else if (url.pathname === '/.well-known/oauth-authorization-server' && strayMetadata !== undefined) {
      json(response, 200, strayMetadata);
    } else {
      json(response, 404, {});
    }
  };

  const listener: RequestListener = (request, response) => {
    const { host = '' } = request.headers;
    const url = new URL(request.url ?? '/', `https://${host}`);
    seen.push(`${host} ${request.method} ${url.pathname}`);
    if (host === loginHost) login(request, response, url);
    else if (host === mcpHost) tools(request, response, url).catch(() => response.destroy());
    else if (host === silentHost) json(response, 404, {});
    else stray(response, host, url);
  };
  const server = createServer({ cert: certPem, key: keyPem }, listener);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    caPem: ca.caPem,
    resolve: names.map((name) => `${name}:443:127.0.0.1:${port}`).join(','),
    registered,
    authorizations,
    calls,
    seen,
    strayTo(issuers, metadata) {
      strayIssuers = issuers;
      strayMetadata = metadata;
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function configuration(): Promise<Configuration> {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const jwk = (await webcrypto.subtle.exportKey('jwk', pair.privateKey)) as JWK;
  return {
    jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['throwaway'] },
    clients: [],
    scopes: ['openid', 'offline_access', 'tools:read', 'tools:write'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: 'tools:read tools:write', accessTokenFormat: 'opaque' }),
        useGrantedResource: () => true,
      },
    },
    pkce: { required: () => true },
    routes: { authorization: '/authorize' },
    interactions: { url: (_context, interaction) => `/approve/${interaction.uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    async loadExistingGrant(context) {
      const { client, session, params, provider } = context.oidc as typeof context.oidc & {
        provider: Provider;
      };
      const grant = new provider.Grant({
        clientId: client?.clientId as string,
        accountId: session?.accountId as string,
      });
      // As a person who agrees to what is asked, and to no more.
      const asked = String(params?.scope ?? '');
      if (asked !== '') grant.addOIDCScope(asked);
      if (params?.resource === resource) grant.addResourceScope(resource, asked);
      await grant.save();
      return grant;
    },
    ttl: {
      AccessToken: 3_600,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
