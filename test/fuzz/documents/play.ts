import { AuthsomeError } from '../../../src/errors.ts';
import {
  discoverIssuerAt,
  discoverResource,
  discoverServer,
  parseBody,
  type Reply,
  readDeviceAuthorization,
  readDeviceToken,
  readRefreshResponse,
  readRegistration,
} from '../../../src/oauth/index.ts';
import { registrableDomain } from '../../../src/providers/index.ts';
import { asked, type DocumentInput } from './corpus.ts';

const sent = 'sent-refresh-token-0123456789';
const codes = new Set(['SignInFailed', 'InvalidDefinition', 'EndpointUnreachable']);
const secretFields = [
  ...['access_token', 'refresh_token', 'id_token', 'client_secret', 'device_code'],
  'registration_access_token',
];

/** Reads the document as everything that it could be taken for; throws when a rule is broken. */
export async function play(input: DocumentInput): Promise<void> {
  const hidden = [sent, ...secretsOf(input)];
  for (const read of readersOf(input)) {
    try {
      check(await read(), hidden);
    } catch (error) {
      if (!(error instanceof AuthsomeError)) throw error;
      if (!codes.has(error.code)) throw new Error(`a failure of another kind: ${error.code}`);
      checkText(error, hidden);
    }
  }
}

function readersOf(input: DocumentInput): readonly (() => unknown)[] {
  const reply: Reply = { status: input.status, contentType: input.contentType, body: input.body };
  const context = {
    provider: 'acme',
    requestedScopes: ['read'],
    sentAtMs: 1_000_000,
    secrets: [sent],
    signInAgain: 'Sign in again.',
    intervalMs: 5_000,
  };
  const here = new URL(asked).hostname;
  // The document is what the asked host publishes; nobody else publishes anything.
  const fetch = async (address: string | URL | Request) =>
    new URL(String(address)).hostname === here
      ? new Response(isBodyless(input.status) ? null : input.body, {
          status: input.status,
          headers: { 'content-type': /^[\x20-\x7e]*$/.test(input.contentType) ? input.contentType : '' },
        })
      : new Response('', { status: 404 });
  switch (input.kind) {
    case 'server':
      return [
        () => discoverServer(fetch, asked),
        () => discoverIssuerAt(fetch, asked, registrableDomain),
        () => discoverServer(fetch, `${asked}/tenant`, registrableDomain),
      ];
    case 'resource':
      return [() => discoverResource(fetch, `${asked}/mcp`)];
    case 'token':
      return [() => readRefreshResponse(reply, context), () => readDeviceToken(reply, context)];
    case 'device':
      return [
        () =>
          readDeviceAuthorization(reply, {
            deviceAuthorizationUrl: `${asked}/device`,
            provider: 'acme',
            byBrowser: 'authsome login acme',
          }),
      ];
    case 'registration':
      return [() => readRegistration(reply, 'acme', 'authsome login acme')];
  }
}

const isBodyless = (status: number): boolean => status === 204 || status === 304;

/** What a reader has made of a document. */
function check(result: unknown, hidden: readonly string[]): void {
  if (typeof result !== 'object' || result === null) return;
  const { error, tokens, issuer, isConfirmed } = result as Readonly<Record<string, unknown>>;
  if (error instanceof AuthsomeError) checkText(error, hidden);
  if (tokens !== undefined) checkTokens(tokens as Readonly<Record<string, unknown>>);
  const urls = Object.entries(result).filter(([name]) => /(?:Url|Uri|UriComplete|Endpoint)$/.test(name));
  for (const [name, value] of urls) {
    if (typeof value !== 'string') continue;
    const { protocol, hostname, username, password } = new URL(value);
    const isLocal = protocol === 'http:' && /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
    if (protocol !== 'https:' && !isLocal) throw new Error(`a forbidden scheme in ${name}`);
    if (username !== '' || password !== '') throw new Error(`user information in ${name}`);
    if (isConfirmed === false && !`.${hostname}`.endsWith('.acme.example')) {
      throw new Error(`an endpoint of another domain in ${name}, which no issuer confirms`);
    }
  }
  if (typeof issuer === 'string' && !`.${new URL(issuer).hostname}`.endsWith('.acme.example')) {
    throw new Error('the issuer of another domain');
  }
}

function checkTokens(tokens: Readonly<Record<string, unknown>>): void {
  const { accessToken, refreshToken = 'none', expiresAtMs = 0, scopes, remark = '' } = tokens;
  for (const token of [accessToken, refreshToken]) {
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
      throw new Error('a token that no header takes');
  }
  if (!Number.isFinite(expiresAtMs)) throw new Error('an end that is no time');
  if (!Array.isArray(scopes) || !scopes.every((scope) => /^[\x21-\x7e]+$/.test(scope)))
    throw new Error('no scopes');
  if (/[^\x20-\x7e]/.test(String(remark))) throw new Error('a remark that is not printable');
}

function checkText({ message, hint = '' }: AuthsomeError, hidden: readonly string[]): void {
  const text = `${message}\n${hint}`;
  if (hidden.some((secret) => text.includes(secret))) throw new Error('a secret in a message');
  if (/[^\P{C}\n]/u.test(text)) throw new Error('a message that is not printable');
}

/** The values of fields that are secret, and what looks like one where the body cannot be read. */
function secretsOf({ status, contentType, body }: DocumentInput): readonly string[] {
  const parsed = parseBody({ status, contentType, body });
  if (parsed === undefined) return ['at-0123456789', 'rt-0123456789', 'cs-0123456789', 'dc-0123456789'];
  const { authed_user: nested } = parsed;
  return [parsed, ...(typeof nested === 'object' && nested !== null ? [nested] : [])].flatMap((source) =>
    secretFields
      .map((name) => (source as Readonly<Record<string, unknown>>)[name])
      .filter((value) => typeof value === 'string' && value.length >= 8 && !/^https?:/.test(value)),
  ) as readonly string[];
}
