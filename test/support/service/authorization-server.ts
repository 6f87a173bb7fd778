import { randomBytes, webcrypto } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Adapter, AdapterPayload, Configuration, JWK, Provider } from 'oidc-provider';

export interface RegisteredClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUris: readonly string[];
}

export interface AuthorizationServerOptions {
  /** Such as `https://login.acme.test`; also the origin of its pages and endpoints. */
  readonly issuer: string;
  readonly clients: readonly RegisteredClient[];
  readonly scopes: readonly string[];
  /** Of the first access token of a grant; those that a refresh gives live an hour. */
  readonly firstTokenTtlSeconds: number;
  /** A refresh token works once, and its second use revokes the grant. */
  readonly rotateRefreshTokens: boolean;
  /** What this server has besides, such as registration or the device flow, or insists on. */
  readonly features: Configuration['features'] | undefined;
}

export interface IssuedTokens {
  readonly grantType: string;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
}

/** Answers in the server's place; `true` when it did. For the misbehaviors that tests ask for. */
export type Misbehavior = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface AuthorizationServer {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Every token response so far, oldest first. */
  readonly issued: readonly IssuedTokens[];
  /** Error codes that token requests met, oldest first. */
  readonly refusals: readonly string[];
  readonly revocations: number;
  /** Whether the API should honor this access token now. */
  accepts(accessToken: string): Promise<boolean>;
  /** Forgets every client that has registered itself, as a server does that keeps them in memory and restarts. */
  forgetClients(): void;
  /** Makes an access token worthless, as an administrator there could at any time. */
  invalidate(accessToken: string): Promise<void>;
  misbehave(fault: Misbehavior | undefined): void;
}

/** A real OAuth 2 authorization server: PKCE required, refresh, revocation, one page that asks for consent. */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const { Provider: OidcProvider } = await importQuietly();
  const { adapter, forget } = createMemoryAdapters();
  const provider = new OidcProvider(options.issuer, { ...(await configuration(options)), adapter });
  provider.proxy = false;
  const issued: IssuedTokens[] = [];
  const refusals: string[] = [];
  let revocations = 0;
  let fault: Misbehavior | undefined;
  provider.on('grant.success', (context) => {
    const body = context.body as { access_token: string; refresh_token?: string };
    issued.push({
      grantType: String(context.oidc.params?.grant_type),
      accessToken: body.access_token,
      refreshToken: body.refresh_token,
    });
  });
  provider.on('grant.error', (_context, error) => refusals.push(error.error));
  provider.on('grant.revoked', () => {
    revocations += 1;
  });
  const callback = provider.callback();

  return {
    issued,
    refusals,
    get revocations() {
      return revocations;
    },
    handle(request, response) {
      if (fault?.(request, response)) return;
      if (request.url?.startsWith('/interaction/')) {
        interaction(provider, request, response).catch(() => response.writeHead(500).end());
        return;
      }
      callback(request, response).catch(() => response.writeHead(500).end());
    },
    async accepts(accessToken) {
      const token = await provider.AccessToken.find(accessToken);
      return token?.isValid === true;
    },
    forgetClients: () => forget('Client'),
    async invalidate(accessToken) {
      await (await provider.AccessToken.find(accessToken))?.destroy();
    },
    misbehave(next) {
      fault = next;
    },
  };
}

async function configuration(options: AuthorizationServerOptions): Promise<Configuration> {
  const pair = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, [
    'sign',
    'verify',
  ]);
  const jwk = (await webcrypto.subtle.exportKey('jwk', pair.privateKey)) as JWK;
  const deviceGrant =
    options.features?.deviceFlow?.enabled === true ? ['urn:ietf:params:oauth:grant-type:device_code'] : [];
  return {
    jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    clients: options.clients.map((client) => ({
      client_id: client.clientId,
      client_secret: client.clientSecret,
      redirect_uris: [...client.redirectUris],
      grant_types: ['authorization_code', 'refresh_token', ...deviceGrant],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      id_token_signed_response_alg: 'ES256',
    })),
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    scopes: [...options.scopes],
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      ...options.features,
    },
    // For clients that register themselves: the one algorithm that there is a key for.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    routes: { authorization: '/authorize', token: '/token', revocation: '/revoke' },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: options.rotateRefreshTokens,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: (context) =>
        context.oidc.params?.grant_type === 'refresh_token' ? 3_600 : options.firstTokenTtlSeconds,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 3_600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    renderError(context, out) {
      context.type = 'html';
      context.body = page(
        `<h1>${escapeHtml(out.error)}</h1><p>${escapeHtml(out.error_description ?? '')}</p>`,
      );
    },
  };
}

/** The page where a person signs in and says yes or no. */
async function interaction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const details = await provider.interactionDetails(request, response);
  const { client_id: clientId, scope } = details.params as { client_id: string; scope: string };
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(
      page(
        `<h1>Sign in to Acme</h1>
<p><strong>${escapeHtml(clientId)}</strong> asks for: ${escapeHtml(scope)}</p>
<form method="post" action="/interaction/${details.uid}">
<label>Account <input name="login" value="ada" autocomplete="off"></label>
<button name="decision" value="allow">Authorize</button>
<button name="decision" value="deny">Deny</button>
</form>`,
      ),
    );
    return;
  }
  const form = new URLSearchParams(await readBody(request));
  if (form.get('decision') !== 'allow') {
    const denial = { error: 'access_denied', error_description: 'The person said no.' };
    return provider.interactionFinished(request, response, denial, { mergeWithLastSubmission: false });
  }
  const accountId = form.get('login') ?? 'ada';
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const consent = { login: { accountId }, consent: { grantId } };
  return provider.interactionFinished(request, response, consent, { mergeWithLastSubmission: false });
}

/** oidc-provider warns on the console about the Node version at import; a demo has no use for that. */
async function importQuietly(): Promise<typeof import('oidc-provider')> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await import('oidc-provider');
  } finally {
    console.warn = warn;
  }
}

interface MemoryAdapters {
  readonly adapter: (model: string) => Adapter;
  /** Drops every record of a model. */
  forget(model: string): void;
}

function createMemoryAdapters(): MemoryAdapters {
  const records = new Map<string, AdapterPayload>();
  const byGrant = (grantId: string) => [...records].filter(([, payload]) => payload.grantId === grantId);
  const adapter = (model: string): Adapter => ({
    async upsert(id, payload) {
      records.set(`${model}:${id}`, payload);
    },
    async find(id) {
      return records.get(`${model}:${id}`);
    },
    async findByUid(uid) {
      return [...records].find(([key, payload]) => key.startsWith(`${model}:`) && payload.uid === uid)?.[1];
    },
    async findByUserCode(userCode) {
      return [...records].find(
        ([key, payload]) => key.startsWith(`${model}:`) && payload.userCode === userCode,
      )?.[1];
    },
    async consume(id) {
      const payload = records.get(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id) {
      records.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const [key] of byGrant(grantId)) records.delete(key);
    },
  });
  const forget = (model: string): void => {
    for (const key of records.keys()) if (key.startsWith(`${model}:`)) records.delete(key);
  };
  return { adapter, forget };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function page(body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Acme</title><main>${body}</main></html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
