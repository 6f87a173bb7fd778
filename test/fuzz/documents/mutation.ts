import type { Chance } from '../../soak/payload.ts';
import { withText } from '../campaign.ts';
import type { DocumentInput } from './corpus.ts';

const names = [
  ...['issuer', 'authorization_endpoint', 'token_endpoint', 'registration_endpoint', 'resource'],
  ...['authorization_servers', 'access_token', 'refresh_token', 'token_type', 'expires_in', 'scope'],
  ...['error', 'error_description', 'ok', 'authed_user', 'client_id', 'client_secret', '__proto__'],
  ...['verification_uri', 'user_code', 'interval', 'code_challenge_methods_supported'],
];
const values: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1e308, 2 ** 53, '', ' ', 'plain', '3600', '1e9', [], {}, [[]], ['S256']],
  ...['javascript:alert(1)', 'file:///etc/passwd', 'http://id.acme.example/', 'http://127.0.0.1:1/x'],
  ...['https://id.acme.example', 'https://mcp.acme.example/', 'https://evil.example/x', 'https://10.0.0.1'],
  ...['https://u:p@id.acme.example', '//id.acme.example', 'https://', 'https://[::1]/', 'https://a\u0000b'],
  ...['https://acme.example.evil.test/', 'HTTPS://ID.ACME.EXAMPLE/?x', 'ftp://id.acme.example'],
  ...['at-0123456789abcdef', 'a\r\nb', '\u001b[31m', '\u202e', '\ud800', 'é', 'x'.repeat(5_000)],
  ...['DPoP', 'mac', 'invalid_grant', 'use_dpop_nonce', 'slow_down', { code: 'x', message: 'dpop' }],
];
const types = [
  'application/json',
  'text/html',
  'text/plain',
  '',
  'a\u001b[31m',
  'application/x-www-form-urlencoded',
];
const statuses = [200, 201, 204, 302, 400, 401, 403, 429, 500, 503];
const pieces = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\\u0000',
  '\0',
  '=',
  '&',
  '%',
  '%00',
  '<',
  '\ufeff',
  '1e999',
];
const maxBody = 20_000;

/** Changes a document in a few places, by what documents are made of; `other` gives what is spliced in. */
export function mutate(chance: Chance, input: DocumentInput, other: DocumentInput): DocumentInput {
  let { body } = input;
  for (let times = 1 + chance.below(4); times > 0; times -= 1) body = mutateBody(chance, body, other.body);
  return {
    kind: chance.happens(0.1) ? other.kind : input.kind,
    status: chance.happens(0.1) ? chance.pick(statuses) : input.status,
    contentType: chance.happens(0.1) ? chance.pick(types) : input.contentType,
    body: body.slice(0, maxBody),
  };
}

function mutateBody(chance: Chance, body: string, other: string): string {
  return chance.happens(0.7)
    ? (withField(chance, body, other) ?? withText(chance, body, pieces))
    : withText(chance, body, pieces);
}

/** Another field or value; `undefined` where the body is no object. */
function withField(chance: Chance, body: string, other: string): string | undefined {
  const object = objectOf(body);
  if (object === undefined) return undefined;
  const known = Object.keys(object);
  const name = chance.happens(0.6) && known.length > 0 ? chance.pick(known) : chance.pick(names);
  switch (chance.below(6)) {
    case 0:
      delete object[name];
      break;
    case 1:
      Object.assign(object, objectOf(other));
      break;
    case 2:
      object[name] = object[chance.pick(known.length === 0 ? names : known)];
      break;
    default:
      object[name] = chance.pick(values);
  }
  return JSON.stringify(object);
}

function objectOf(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
