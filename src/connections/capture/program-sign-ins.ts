import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { accountIn, filledAnswer, readTokenAnswer } from '../answers/index.ts';
import type { CredentialCache } from '../credentials/index.ts';
import { isFinal } from '../credentials/index.ts';
import { connectionKey, splitConnectionKey } from '../names.ts';
import { type GrantStore, storeGrant } from './captured-grant.ts';
import { withClientSecret } from './client-secret.ts';
import type { ProgramAnswer, ProgramPhantoms, ProgramRequest, ProgramSignIns } from './contract.ts';
import { forward, unmodified } from './forward.ts';
import { jsonAnswer, oauthRefusal } from './oauth-error.ts';
import { senderOf } from './sender.ts';
import { readTokenParameters, type TokenParameters } from './token-parameters.ts';

interface Context extends GrantStore {
  readonly cache: CredentialCache;
  readonly phantoms: ProgramPhantoms;
}

export function createProgramSignIns(context: Context): ProgramSignIns {
  return { answer: (request) => answer(context, request) };
}

async function answer(context: Context, request: ProgramRequest): Promise<ProgramAnswer> {
  const { route, headers, body } = request;
  const contentType = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  const params = readTokenParameters(body, contentType, route.endpoint.requests);
  const sender = senderOf(request, params);
  if (sender === 'another') return await answerAnother(context, request, params);
  if (params === undefined || sender === 'unclear') {
    const formats = route.endpoint.requests.join(' or ');
    const failure = new AuthsomeError(
      'MalformedRequest',
      `this endpoint takes a request as ${formats}, with its client in it once`,
    );
    return oauthRefusal('invalid_request', failure);
  }
  if (route.kind === 'revocation') return await answerRevocation(context, request, params);
  const { grantType, field } = route.capture.refresh;
  const refreshToken = params.get('grant_type') === grantType ? params.get(field) : undefined;
  const held = refreshToken === undefined ? undefined : context.phantoms.find(refreshToken);
  if (held?.part === 'refresh_token' && isUsable(request, held)) {
    return await answerRefresh(context, request, params, held.connection);
  }
  if (hasPhantom(context, request, params)) {
    return oauthRefusal('invalid_grant', misplaced(request, held?.connection));
  }
  return await answerGrant(context, request, params, refreshToken);
}

/** What the service answers is that program's own. A phantom gets it nothing. */
async function answerAnother(
  context: Context,
  request: ProgramRequest,
  params: TokenParameters | undefined,
): Promise<ProgramAnswer> {
  const texts = { texts: params?.texts ?? [Buffer.from(request.body).toString('utf8')] };
  if (hasPhantom(context, request, texts))
    return oauthRefusal('invalid_grant', misplaced(request, undefined));
  return unmodified(await forward(context.options, request));
}

function isUsable(
  { provider, mayUse }: ProgramRequest,
  { connection, isRetired }: { readonly connection: string; readonly isRetired: boolean },
): boolean {
  return !isRetired && splitConnectionKey(connection).provider === provider.name && mayUse(connection);
}

/** Whether it has a phantom in any place. One of somebody else's vault is not known here, but says that it is one. */
function hasPhantom(
  { phantoms }: Context,
  { headers, query }: ProgramRequest,
  params: Pick<TokenParameters, 'texts'>,
): boolean {
  const texts = [...params.texts, ...headers.map(([, value]) => value), query];
  return texts.some((text) => phantoms.find(text) !== undefined || /phantom/i.test(text));
}

function misplaced({ provider }: ProgramRequest, connection: string | undefined): AuthsomeError {
  const whose = connection === undefined ? 'a phantom' : `a phantom of ${connection}`;
  return new AuthsomeError(
    'PhantomMisplaced',
    `${whose} was sent to the sign-in of ${provider.name}, and does not refresh a connection of this run there`,
    { hint: 'Sign in again in this program.' },
  );
}

/** A cookie is a credential by itself, and an address may have one in its query or fragment. */
const carriesGrant = new Set(['set-cookie', 'location', 'content-location', 'link', 'refresh']);

function holds(value: string, secret: string): boolean {
  return value.includes(secret) || value.toLowerCase().includes(encodeURIComponent(secret).toLowerCase());
}

/** A sign-in, or the refresh of a grant that the program has from elsewhere: the service answers. */
async function answerGrant(
  context: Context,
  request: ProgramRequest,
  params: TokenParameters,
  sentToken: string | undefined,
): Promise<ProgramAnswer> {
  const { options, phantoms } = context;
  const { provider, connection, route } = request;
  const { capture } = route;
  const atMs = options.nowMs();
  const scopes = (params.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  const forwarded = await forward(options, request);
  const read = readTokenAnswer(capture, forwarded.reply, { atMs, scopes });
  if (read.kind === 'refusal') return unmodified(forwarded);
  if (read.kind === 'unusable') {
    options.notify({
      event: 'sign_in.failed',
      provider: provider.name,
      connection,
      outcome: 'UpstreamMalformed',
    });
    throw new AuthsomeError('UpstreamMalformed', `the token endpoint of ${provider.name} ${read.reason}`, {
      hint: 'Nothing was stored. Try the sign-in again.',
    });
  }
  const { accessToken } = read.grant;
  // RFC 6749 §6: without a new one, the refresh token that was sent stays valid.
  const refreshToken = read.grant.refreshToken ?? sentToken;
  const clientId = params.get('client_id') ?? provider.client.clientId ?? '';
  const account = accountIn(capture, forwarded.reply.body);
  const from = 'by the program itself';
  const target = { provider, connection, endpoint: route.endpoint, from };
  const clientSecret = params.get('client_secret') || undefined;
  await storeGrant(context, target, {
    grant: { ...read.grant, refreshToken },
    clientId,
    clientSecret,
    account,
  });
  const key = connectionKey(provider.name, connection);
  const given = {
    access_token: await phantoms.ofAccessToken(key),
    refresh_token:
      read.grant.refreshToken === undefined
        ? undefined
        : await phantoms.ofRefreshToken(key, read.grant.refreshToken),
  };
  const body = filledAnswer(capture, read.grant.template, { phantoms: given, expiresIn: undefined });
  const secrets = [accessToken, refreshToken].filter((secret) => secret !== undefined);
  const headers = forwarded.headers.filter(
    ([name, value]) => !carriesGrant.has(name) && !secrets.some((secret) => holds(value, secret)),
  );
  return { status: forwarded.reply.status, headers, body: Buffer.from(body) };
}

/** From the vault while the token is fresh; else through the one lease that every refresh of the connection takes. */
async function answerRefresh(
  context: Context,
  { route }: ProgramRequest,
  params: TokenParameters,
  key: string,
): Promise<ProgramAnswer> {
  const { options, connections, cache, phantoms } = context;
  const { provider, connection: name } = splitConnectionKey(key);
  try {
    await withClientSecret(context, key, params, () => cache.acquireFresh(key));
    const { connection, secrets } = await connections.open(provider, name);
    const { expiresAtMs } = connection;
    const { refreshToken } = secrets;
    const body = filledAnswer(route.capture, secrets.answer, {
      phantoms: {
        access_token: await phantoms.ofAccessToken(key),
        refresh_token:
          refreshToken === undefined ? undefined : await phantoms.ofRefreshToken(key, refreshToken),
      },
      expiresIn:
        expiresAtMs === undefined
          ? undefined
          : Math.max(0, Math.floor((expiresAtMs - options.nowMs()) / 1000)),
    });
    return jsonAnswer(200, body);
  } catch (error) {
    const failure = asAuthsomeError(error);
    return oauthRefusal(isFinal(failure) ? 'invalid_grant' : 'temporarily_unavailable', failure);
  }
}

/**
 * A program that signs out gets its yes (RFC 7009 §2.2), and the connection stays: other programs use it, and only a person ends
 * it. A token that is none of ours is the program's own to revoke.
 */
async function answerRevocation(
  context: Context,
  request: ProgramRequest,
  params: TokenParameters,
): Promise<ProgramAnswer> {
  if (hasPhantom(context, request, params)) return jsonAnswer(200, '{}');
  return unmodified(await forward(context.options, request));
}
