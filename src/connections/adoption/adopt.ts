import { AuthsomeError } from '../../errors.ts';
import type { Provider } from '../../providers/index.ts';
import { type AnsweredGrant, accountIn, filledAnswer, readTokenAnswer } from '../answers/index.ts';
import { storeGrant } from '../capture/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { connectionKey, connectionName } from '../names.ts';
import type { DurablePhantoms } from '../phantoms/index.ts';
import { type Connection, type ConnectionStore, isUsable } from '../records/index.ts';
import { connectionLine } from '../sign-in-command.ts';

/** What a program's own file says of its sign-in. */
export interface AdoptionRequest {
  readonly provider: string;
  readonly connection: string | undefined;
  /** Whether a connection of that name is replaced. */
  readonly force: boolean;
  /** By their names in an answer of the token endpoint. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | undefined;
}

export interface Adopted {
  /** `provider/connection`. */
  readonly connection: string;
  /** What to write into the file: one for each of the request's secrets. */
  readonly phantoms: Readonly<Record<string, string>>;
}

export interface AdoptionContext {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
  readonly phantoms: Pick<DurablePhantoms, 'requirePart' | 'has'>;
}

/** What the file has, read as the answer that the program once got. */
interface Checked {
  readonly provider: Provider;
  readonly capture: NonNullable<Provider['capture']>;
  readonly name: string;
  readonly key: string;
  readonly grant: AnsweredGrant;
  readonly account: string | undefined;
}

/**
 * Stores the secrets as a connection. With `onlyPrepare`, says what its phantoms are, for the program's file, and stores no
 * more than them. Rejects with OperationNotAllowed, ConnectionExists, or InvalidKey for what is no token, or a phantom.
 */
export async function adopt(
  context: AdoptionContext,
  request: AdoptionRequest,
  { onlyPrepare }: { readonly onlyPrepare: boolean },
): Promise<Adopted> {
  const checked = await check(context, request);
  const phantoms = await phantomsFor(context, checked, Object.keys(request.secrets));
  const { provider, name, capture, grant, account, key } = checked;
  if (!onlyPrepare) {
    const [endpoint] = capture.tokenEndpoints;
    if (endpoint === undefined) throw new TypeError('a capture without an endpoint');
    const clientId = capture.clientIds[0] ?? provider.client.clientId ?? '';
    await storeGrant(
      context,
      { provider, connection: name, endpoint, from: "from the program's own file" },
      { grant, clientId, account },
    );
  }
  return { connection: key, phantoms };
}

async function check(context: AdoptionContext, request: AdoptionRequest): Promise<Checked> {
  const { options, phantoms, connections } = context;
  const provider = options.catalog.resolve(request.provider);
  const { capture } = provider;
  if (capture === undefined) {
    throw new AuthsomeError(
      'OperationNotAllowed',
      `${provider.name} has no program whose sign-in could be taken over`,
      {
        hint: `Sign in with: authsome login ${provider.name}`,
      },
    );
  }
  const name = connectionName(request.connection ?? 'default');
  for (const secret of Object.values(request.secrets)) {
    if (phantoms.has(secret) || options.isPhantom?.(secret) === true || /phantom/i.test(secret)) {
      throw new AuthsomeError('InvalidKey', 'these are phantoms: the sign-in was taken over before');
    }
  }
  const existing = (await connections.find(provider.name, name))?.connection;
  if (existing !== undefined && !request.force && isUsable(existing, options.nowMs()))
    throw connectionExists(options, existing);
  const body = JSON.stringify({ token_type: 'Bearer', ...request.secrets });
  const reply = { status: 200, contentType: 'application/json', body };
  const read = readTokenAnswer(capture, reply, { atMs: options.nowMs(), scopes: request.scopes });
  if (read.kind !== 'tokens') {
    const reason = read.kind === 'unusable' ? read.reason : 'has no token';
    throw new AuthsomeError('InvalidKey', `what the program has of its sign-in cannot be used: it ${reason}`);
  }
  const expiresAtMs = request.expiresAtMs ?? read.grant.expiresAtMs;
  return {
    provider,
    capture,
    name,
    key: connectionKey(provider.name, name),
    grant: { ...read.grant, expiresAtMs },
    account: accountIn(capture, body),
  };
}

/** Tokens have durable phantoms; any further secret has the stand-in that an answer would have. */
async function phantomsFor(
  { phantoms }: AdoptionContext,
  { capture, key, grant }: Checked,
  fields: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { accessToken, refreshToken } = grant;
  const body = filledAnswer(capture, grant.template, {
    phantoms: {
      access_token: await phantoms.requirePart(key, 'credential', accessToken),
      refresh_token:
        refreshToken === undefined
          ? undefined
          : await phantoms.requirePart(key, 'refresh_token', refreshToken),
    },
    expiresIn: undefined,
  });
  const answer = JSON.parse(body) as Readonly<Record<string, string>>;
  return Object.fromEntries(fields.map((field) => [field, answer[field] ?? '']));
}

function connectionExists({ catalog }: ConnectionsOptions, existing: Connection): AuthsomeError {
  const { provider, name } = existing;
  return new AuthsomeError('ConnectionExists', `${provider} is already connected as "${name}"`, {
    hint: `Replace it with: ${connectionLine(catalog, existing)} — or add another with --connection <name>`,
  });
}
