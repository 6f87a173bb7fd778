/**
 * A stand-in of the services that Gemini CLI and GitHub Copilot sign in to. It grants tokens as they do: Google's expire and are
 * refreshed with the program's client secret, GitHub's do neither. It takes no token but its own. What its real counterparts
 * answer beyond that is not imitated.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createThrowawayCa } from '../support/service/certificates.ts';

const names = [
  'oauth2.googleapis.com',
  'www.googleapis.com',
  'cloudcode-pa.googleapis.com',
  'github.com',
  'api.github.com',
  'api.individual.githubcopilot.com',
] as const;

interface Arrived {
  readonly host: string;
  readonly path: string;
  readonly authorization: string;
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
  /** A sign-in with Google that somebody made before, as the token endpoint would answer it. */
  grantGoogle(): Record<string, unknown>;
  to(host: string, path: string): readonly Arrived[];
  close(): Promise<void>;
}

type Answer = readonly [status: number, body: string, type?: string];

export async function startStandIn(): Promise<StandIn> {
  const ca = await createThrowawayCa('Stand-in CA');
  const certificate = await ca.issue(names);
  const access = new Set<string>();
  const refresh = new Set<string>();
  const arrived: Arrived[] = [];
  const secrets: string[] = [];
  let polls = 0;

  const grantGoogle = (): Record<string, unknown> => {
    const token = `ya29.a0${unguessable(120)}`;
    const refreshToken = `1//0${unguessable(70)}`;
    access.add(token);
    refresh.add(refreshToken);
    const idToken = jwt({ iss: 'https://accounts.google.com', sub: '1', email: 'ann@example.com' });
    secrets.push(token, refreshToken, idToken);
    return {
      access_token: token,
      expires_in: 3_599,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      token_type: 'Bearer',
      id_token: idToken,
      refresh_token: refreshToken,
    };
  };

  const googleToken = (params: URLSearchParams): Answer => {
    // As an installed app's endpoint is: https://developers.google.com/identity/protocols/oauth2/native-app
    if (!params.has('client_secret')) {
      return json({ error: 'invalid_request', error_description: 'client_secret is missing.' }, 400);
    }
    if (params.get('grant_type') !== 'refresh_token') return json({ error: 'unsupported_grant_type' }, 400);
    if (!refresh.has(params.get('refresh_token') ?? '')) return json({ error: 'invalid_grant' }, 400);
    // A refresh brings no new refresh token there.
    const { refresh_token: _, ...tokens } = grantGoogle();
    return json(tokens);
  };

  const githubToken = (): Answer => {
    polls += 1;
    if (polls === 1) return json({ error: 'authorization_pending', error_description: 'pending' });
    const token = `gho_${unguessable(36)}`;
    access.add(token);
    secrets.push(token);
    return json({ access_token: token, token_type: 'bearer', scope: 'read:user' });
  };

  const answerTo = (host: string, path: string, token: string, body: string): Answer => {
    if (host === 'oauth2.googleapis.com' && path === '/token') return googleToken(new URLSearchParams(body));
    if (host === 'github.com' && path === '/login/device/code') {
      const address = 'https://github.com/login/device';
      const code = { device_code: 'device', user_code: 'ABCD-1234', verification_uri: address };
      return json({ ...code, expires_in: 900, interval: 1 });
    }
    if (host === 'github.com' && path === '/login/oauth/access_token') return githubToken();
    if (!access.has(token)) return json({ message: 'Bad credentials' }, 401);
    return apiOf(host, path) ?? json({ message: 'Not Found' }, 404);
  };

  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, (request, response) => {
    readAll(request).then(
      (body) => {
        const { host = '', authorization = '' } = request.headers;
        const { pathname: path } = new URL(request.url ?? '/', 'https://stand-in.invalid');
        const token = /^(?:Bearer|token) (.*)$/i.exec(authorization)?.[1] ?? '';
        const answer = answerTo(host, path, token, body);
        arrived.push({ host, path, authorization, body, status: answer[0] });
        send(response, answer);
      },
      () => response.destroy(),
    );
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    caPem: ca.caPem,
    resolve: names.map((name) => `${name}:443:127.0.0.1:${port}`).join(','),
    arrived,
    secrets,
    grantGoogle,
    to: (host, path) => arrived.filter((one) => one.host === host && one.path === path),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

const copilot = 'https://api.individual.githubcopilot.com';
const model = {
  ...{ id: 'gpt-5.4', name: 'gpt-5.4', object: 'model', vendor: 'stand-in', version: '1' },
  ...{ model_picker_enabled: true, policy: { state: 'enabled' }, supported_endpoints: ['/chat/completions'] },
  capabilities: {
    ...{ family: 'gpt-5.4', type: 'chat', object: 'model_capabilities', tokenizer: 'o200k_base' },
    limits: { max_context_window_tokens: 100_000, max_output_tokens: 4_000, max_prompt_tokens: 90_000 },
    supports: { streaming: true, tool_calls: true },
  },
};
const text = 'hello from the stand-in';

function apiOf(host: string, path: string): Answer | undefined {
  switch (`${host}${path}`) {
    case 'oauth2.googleapis.com/tokeninfo':
      return json({ aud: 'gemini', scope: 'a', expires_in: 3_000, email: 'ann@example.com' });
    case 'www.googleapis.com/oauth2/v2/userinfo':
      return json({ id: '1', email: 'ann@example.com' });
    case 'cloudcode-pa.googleapis.com/v1internal:loadCodeAssist':
      return json({ currentTier: { id: 'free-tier' }, allowedTiers: [], cloudaicompanionProject: 'project' });
    case 'cloudcode-pa.googleapis.com/v1internal:streamGenerateContent': {
      const candidate = { content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP' };
      return events([{ response: { candidates: [candidate] } }]);
    }
    case 'api.github.com/copilot_internal/user':
      return json({
        login: 'ann',
        copilot_plan: 'individual',
        chat_enabled: true,
        endpoints: { api: copilot },
      });
    case 'api.individual.githubcopilot.com/models':
      return json({ data: [model] });
    case 'api.individual.githubcopilot.com/chat/completions': {
      const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: model.id };
      const choice = { index: 0, delta: { role: 'assistant', content: text }, finish_reason: null };
      const end = { index: 0, delta: {}, finish_reason: 'stop' };
      return events([{ ...chunk, choices: [choice] }, { ...chunk, choices: [end] }, '[DONE]']);
    }
    default:
      return undefined;
  }
}

function json(document: unknown, status = 200): Answer {
  return [status, JSON.stringify(document)];
}

function events(list: readonly unknown[]): Answer {
  const lines = list.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`);
  return [200, lines.join(''), 'text/event-stream'];
}

function send(response: ServerResponse, [status, body, type = 'application/json']: Answer): void {
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function unguessable(length: number): string {
  return randomBytes(length)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, '')
    .slice(0, length);
}

function jwt(claims: object): string {
  const parts = [{ alg: 'RS256', kid: unguessable(8) }, claims].map((part) => JSON.stringify(part));
  return [...parts, unguessable(64)].map((part) => Buffer.from(part).toString('base64url')).join('.');
}
