/**
 * A stand-in of the services that Claude Code and Codex sign in to. It grants and refreshes tokens as they do, rotates refresh
 * tokens, and takes no token but its own. What its real counterparts answer beyond that is not imitated.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createThrowawayCa } from '../support/service/certificates.ts';

export const names = [
  'api.anthropic.com',
  'platform.claude.com',
  'console.anthropic.com',
  'auth.openai.com',
  'chatgpt.com',
] as const;

/** One request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
  readonly status: number;
}

export interface StandIn {
  readonly caPem: string;
  /** Value of `AUTHSOME_RESOLVE`. */
  readonly resolve: string;
  readonly arrived: Arrived[];
  /** Every real token that it ever granted. */
  readonly secrets: string[];
  /** Tokens that it grants from now on live so long. */
  ttlSeconds: number;
  /** No access token that was granted until now is taken any more. */
  rejectAccessTokens(): void;
  requestsTo(host: string, path: string): readonly Arrived[];
  close(): Promise<void>;
}

interface Grant {
  readonly client: 'claude' | 'codex';
  readonly person: string;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

export async function startStandIn(): Promise<StandIn> {
  const ca = await createThrowawayCa('Stand-in CA');
  const certificate = await ca.issue(names);
  const access = new Map<string, Grant>();
  const refresh = new Map<string, Grant>();
  const arrived: Arrived[] = [];
  const secrets: string[] = [];
  const state = { ttlSeconds: 3_600 };

  const grantTokens = (grant: Grant): Record<string, unknown> => {
    const tokens = grant.client === 'claude' ? claudeTokens(grant, state) : codexTokens(grant, state);
    access.set(tokens.access_token, grant);
    refresh.set(tokens.refresh_token, grant);
    secrets.push(
      tokens.access_token,
      tokens.refresh_token,
      ...('id_token' in tokens ? [tokens.id_token] : []),
    );
    return tokens;
  };

  const tokenEndpoint = (client: Grant['client'], params: Readonly<Record<string, unknown>>): Answer => {
    if (params.grant_type === 'authorization_code') {
      return json(200, grantTokens({ client, person: String(params.code).split('#')[0] ?? '' }));
    }
    if (params.grant_type !== 'refresh_token') return json(400, { error: 'unsupported_grant_type' });
    const used = refresh.get(String(params.refresh_token));
    if (used === undefined || used.client !== client) return json(400, { error: 'invalid_grant' });
    // Each refresh token works once.
    refresh.delete(String(params.refresh_token));
    return json(200, grantTokens(used));
  };

  const answerTo = (request: IncomingMessage, body: string): Answer => {
    const host = request.headers.host ?? '';
    const { pathname } = new URL(request.url ?? '/', 'https://stand-in.invalid');
    const bearer = /^Bearer (.*)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = bearer === undefined ? undefined : access.get(bearer);
    if (pathname === '/v1/oauth/token' || pathname === '/oauth/token')
      return tokenEndpoint(host === 'auth.openai.com' ? 'codex' : 'claude', paramsOf(request, body));
    if (host === 'api.anthropic.com') return claudeApi(pathname, grant, body);
    if (host === 'chatgpt.com') return codexApi(pathname, grant);
    return json(404, { error: 'not_found' });
  };

  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, (request, response) => {
    readAll(request).then(
      (body) => {
        const answer = answerTo(request, body);
        arrived.push({
          method: request.method ?? '',
          host: request.headers.host ?? '',
          path: request.url ?? '',
          authorization: request.headers.authorization,
          apiKey: request.headers['x-api-key']?.toString(),
          contentType: request.headers['content-type'],
          body,
          status: answer.status,
        });
        send(response, answer);
      },
      () => response.destroy(),
    );
  });
  server.on('tlsClientError', () => {});
  server.on('upgrade', (_request, socket) =>
    socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    caPem: ca.caPem,
    resolve: names.map((name) => `${name}:443:127.0.0.1:${port}`).join(','),
    arrived,
    secrets,
    get ttlSeconds() {
      return state.ttlSeconds;
    },
    set ttlSeconds(seconds) {
      state.ttlSeconds = seconds;
    },
    rejectAccessTokens: () => access.clear(),
    requestsTo: (host, path) => arrived.filter((one) => one.host === host && one.path.split('?')[0] === path),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function claudeTokens({ person }: Grant, { ttlSeconds }: { readonly ttlSeconds: number }) {
  return {
    token_type: 'Bearer',
    access_token: `sk-ant-oat01-${unguessable(64)}`,
    expires_in: ttlSeconds,
    refresh_token: `sk-ant-ort01-${unguessable(64)}`,
    scope: 'user:inference user:profile',
    organization: { uuid: '7c1a4f0e-0000-4000-8000-000000000001', name: `${person}'s organization` },
    account: { uuid: '7c1a4f0e-0000-4000-8000-000000000002', email_address: `${person}@example.com` },
  };
}

function codexTokens({ person }: Grant, { ttlSeconds }: { readonly ttlSeconds: number }) {
  const now = Math.floor(Date.now() / 1000);
  const auth = {
    chatgpt_account_id: `account-${person}`,
    chatgpt_plan_type: 'plus',
    chatgpt_user_id: `user-${person}`,
    user_id: `user-${person}`,
  };
  const common = { iss: 'https://auth.openai.com', iat: now, 'https://api.openai.com/auth': auth };
  return {
    id_token: jwt({ ...common, aud: ['app'], email: `${person}@example.com`, exp: now + 3_600 }),
    access_token: jwt({ ...common, aud: ['https://api.openai.com/v1'], exp: now + ttlSeconds }),
    refresh_token: `rt_${unguessable(64)}`,
  };
}

function claudeApi(path: string, grant: Grant | undefined, body: string): Answer {
  const isOpen = path === '/api/hello' || path.includes('bootstrap') || path.startsWith('/api/event_logging');
  if (isOpen) return json(200, {});
  if (grant?.client !== 'claude')
    return json(401, {
      type: 'error',
      error: { type: 'authentication_error', message: 'Invalid bearer token' },
    });
  const { person } = grant;
  if (path === '/api/oauth/profile') {
    return json(200, {
      account: {
        uuid: '7c1a4f0e-0000-4000-8000-000000000002',
        email: `${person}@example.com`,
        has_claude_max: true,
        has_claude_pro: false,
        display_name: person,
      },
      organization: {
        uuid: '7c1a4f0e-0000-4000-8000-000000000001',
        organization_type: 'claude_max',
        rate_limit_tier: 'default_claude_max_5x',
      },
    });
  }
  if (path === '/api/oauth/claude_cli/roles')
    return json(200, { organization_role: 'admin', workspace_role: null, organization_name: person });
  if (path === '/v1/messages') return claudeMessage(person, body);
  return json(404, { type: 'error', error: { type: 'not_found_error', message: 'Not found' } });
}

function claudeMessage(person: string, body: string): Answer {
  const { model, stream } = JSON.parse(body) as { model?: string; stream?: boolean };
  const text = `hello ${person}`;
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null };
  const usage = { input_tokens: 1, output_tokens: 1 };
  if (stream !== true)
    return json(200, { ...message, content: [{ type: 'text', text }], stop_reason: 'end_turn', usage });
  return events([
    ['message_start', { message: { ...message, content: [], stop_reason: null, usage } }],
    ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
    ['content_block_delta', { index: 0, delta: { type: 'text_delta', text } }],
    ['content_block_stop', { index: 0 }],
    ['message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage }],
    ['message_stop', {}],
  ]);
}

function codexApi(path: string, grant: Grant | undefined): Answer {
  if (grant?.client !== 'codex')
    return json(401, { error: { message: 'Unauthorized', code: 'token_expired' } });
  if (path !== '/backend-api/codex/responses') return json(404, { detail: 'Not Found' });
  const item = {
    type: 'message',
    role: 'assistant',
    id: 'msg_1',
    content: [{ type: 'output_text', text: `hello ${grant.person}` }],
  };
  const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
  return events([
    ['response.created', { response: { id: 'resp_1' } }],
    ['response.output_item.done', { output_index: 0, item }],
    ['response.completed', { response: { id: 'resp_1', output: [item], usage } }],
  ]);
}

function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value) };
}

function events(list: readonly (readonly [type: string, data: object])[]): Answer {
  const lines = list.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  return { status: 200, type: 'text/event-stream', body: lines.join('') };
}

function send(response: ServerResponse, { status, body, type = 'application/json' }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function paramsOf(request: IncomingMessage, body: string): Readonly<Record<string, unknown>> {
  const isJson = request.headers['content-type']?.startsWith('application/json') === true;
  return isJson ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body));
}

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT', kid: '1' })}.${part(claims)}.${randomBytes(256).toString('base64url')}`;
}

function unguessable(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
