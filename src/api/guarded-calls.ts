import { approveHostsLine, shellWord, signInLine } from '../command-line.ts';
import type { AuthSession } from '../connections/index.ts';
import type { Tenant } from '../principals/index.ts';

/** A call, as far as the table below asks about it. */
export interface GuardedRequest {
  /** The provider in the path; empty where there is none. */
  readonly provider: string;
  /** The sign-in in the path; empty where there is none. */
  readonly session: string;
  readonly query: (name: string) => string | undefined;
  /** The fields of the JSON body; empty when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly tenant: () => Promise<Tenant>;
}

export interface GuardedCall {
  /** Whether this request asks for what a run may not have. Left out, each does. */
  readonly isRefused?: (request: GuardedRequest) => boolean | Promise<boolean>;
  /** Whether those that are not refused are recorded with their process, too. */
  readonly isRecorded?: boolean;
  /** What is asked for: `showing the secrets of github`. */
  readonly what: (request: GuardedRequest) => string;
  /** What a person types to do it. */
  readonly command: (request: GuardedRequest) => string;
}

/** Whether a sign-in still waits, and was begun outside of all runs. So no run may see, answer or end it. */
export function isOfPerson({ status, isFromRun }: AuthSession): boolean {
  return status === 'waiting' && !isFromRun;
}

/** What a run asks for that takes part in a person's sign-in. */
export const answeringText = 'answering or ending a sign-in that was begun outside of it';

/** A run that sees a waiting sign-in has its address. So it could answer it, with a key or an account of its own. */
const seeing: GuardedCall = {
  isRefused: asksForPersons,
  what: () => 'looking at a sign-in that was begun outside of it',
  command: ({ session }) =>
    session === '' ? 'authsome login' : `authsome login --status ${shellWord(session)}`,
};
const answering: GuardedCall = {
  isRefused: asksForPersons,
  isRecorded: true,
  what: () => answeringText,
  command: ({ session }) => `authsome login --wait ${shellWord(session)}`,
};

/**
 * What a run may not ask for: to see secrets, to change or destroy what later runs rely on, or to stop the daemon. A call that
 * is not listed can be made from inside of a run. `run --trusted` allows all of them.
 */
export const guardedCalls: Readonly<Record<string, GuardedCall>> = {
  'GET /v1/connections/:provider': {
    isRefused: ({ query }) => query('show_secret') === '1',
    what: (request) => `showing the secrets of ${connectionIn(request)}`,
    command: (request) => `authsome get ${connectionWords(request)} --show-secret`,
  },
  'POST /v1/connections/:provider/export': {
    what: (request) => `exporting the secrets of ${connectionIn(request)}`,
    command: (request) => `authsome export ${connectionWords(request)}`,
  },
  'DELETE /v1/connections/:provider': {
    what: (request) => `removing the connection ${connectionIn(request)}`,
    command: (request) => `authsome logout ${connectionWords(request)}`,
  },
  'PUT /v1/connections/:provider/default': {
    what: ({ provider, body }) => `making ${provider}/${text(body.connection)} the default`,
    command: ({ provider, body }) =>
      `authsome connections set-default ${shellWord(provider)} ${shellWord(text(body.connection))}`,
  },
  'POST /v1/connections/:provider/approve-hosts': {
    what: ({ provider, body }) => `approving hosts for ${provider}/${text(body.connection) || 'default'}`,
    command: ({ provider, body }) =>
      approveHostsLine({ provider, connection: text(body.connection) || 'default' }),
  },
  'POST /v1/providers': {
    isRefused: ({ body }) => body.force === true,
    isRecorded: true,
    what: () => 'replacing the definition of a provider',
    command: ({ body }) => `authsome register ${shellWord(text(body.url) || 'FILE')} --force`,
  },
  'DELETE /v1/providers/:provider': {
    what: ({ provider }) => `removing the provider ${provider}`,
    command: ({ provider }) => `authsome remove ${shellWord(provider)}`,
  },
  'POST /v1/providers/:provider/revoke': {
    what: ({ provider }) => `revoking ${provider}`,
    command: ({ provider }) => `authsome revoke ${shellWord(provider)}`,
  },
  'POST /v1/connections/:provider/adopt': {
    isRefused: (request) =>
      replacesSomething({ ...request, body: { ...request.body, provider: request.provider } }),
    isRecorded: true,
    what: ({ provider }) => `replacing what ${provider} is signed in with`,
    command: ({ provider, body }) =>
      signInLine({ provider, connection: text(body.connection) || undefined, force: true }),
  },
  'POST /v1/auth-sessions': {
    isRefused: replacesSomething,
    isRecorded: true,
    what: ({ body }) => `replacing what ${text(body.provider)} is signed in with`,
    command: ({ body }) => loginLine(body),
  },
  'GET /v1/auth-sessions/last': seeing,
  'GET /v1/auth-sessions/:id': seeing,
  'POST /v1/auth-sessions/:id/callback': answering,
  'POST /v1/auth-sessions/:id/client': answering,
  'POST /v1/auth-sessions/:id/secret': answering,
  'POST /v1/auth-sessions/:id/address': answering,
  'DELETE /v1/auth-sessions/:id': answering,
  'PUT /v1/vault/passphrase': {
    what: () => 'changing the passphrase of the vault',
    command: () => 'authsome vault passphrase set',
  },
  'DELETE /v1/vault/passphrase': {
    what: () => 'removing the passphrase of the vault',
    command: () => 'authsome vault passphrase remove',
  },
  'POST /v1/scan/phantoms': {
    what: () => 'putting phantoms into files',
    command: () => 'authsome scan --rewrite',
  },
  'POST /v1/scan/undo': {
    what: () => 'putting keys back into files',
    command: () => 'authsome scan --undo',
  },
  'POST /v1/daemon/stop': {
    what: () => 'stopping the daemon',
    command: () => 'authsome daemon stop',
  },
};

/**
 * Whether a sign-in replaces a connection, or the OAuth client of a provider that has one. A first sign-in replaces nothing,
 * even with `--force`.
 */
async function replacesSomething({ body, tenant }: GuardedRequest): Promise<boolean> {
  const bringsClient = body.client_id !== undefined;
  if (body.force !== true && !bringsClient) return false;
  const { catalog, connections } = await tenant();
  // The name of what a URL leads to is not known yet.
  const provider = catalog.find(text(body.provider))?.name;
  if (provider === undefined) return true;
  const existing = await connections.summaries(provider);
  if (bringsClient) return existing.length > 0;
  const wanted = text(body.connection) || 'default';
  return existing.some(({ name }) => name === wanted);
}

/** Whether the sign-in in the path is a person's. One that does not exist is refused by its own route. */
async function asksForPersons({ session: id, tenant }: GuardedRequest): Promise<boolean> {
  const { signIns } = (await tenant()).connections;
  try {
    const session = id === '' ? await signIns.readLastUnfinished() : await signIns.waitForChange(id, 0, 0);
    return isOfPerson(session);
  } catch {
    return false;
  }
}

function connectionIn({ provider, query }: GuardedRequest): string {
  const connection = query('connection');
  return connection === undefined ? provider : `${provider}/${connection}`;
}

function connectionWords({ provider, query }: GuardedRequest): string {
  const connection = query('connection');
  return connection === undefined
    ? shellWord(provider)
    : `${shellWord(provider)} --connection ${shellWord(connection)}`;
}

function loginLine(body: GuardedRequest['body']): string {
  const optional = (value: unknown): string | undefined => text(value) || undefined;
  return signInLine({
    provider: text(body.provider),
    connection: optional(body.connection),
    flow: optional(body.flow),
    baseUrl: optional(body.base_url),
    scopes: Array.isArray(body.scopes) ? body.scopes.map(text) : undefined,
    force: body.force === true,
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
