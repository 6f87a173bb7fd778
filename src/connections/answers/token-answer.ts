import { isDeeperThan, parseJson } from '../../json.ts';
import { isToken, type Reply, readTokenResponse } from '../../oauth/index.ts';
import type { CaptureDefinition } from '../../providers/index.ts';
import { expiryOf, standIn } from './jwt.ts';

/** What a token endpoint has answered a program. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly grant: AnsweredGrant }
  /** Not a success: the program gets it as it is. */
  | { readonly kind: 'refusal' }
  /** It may contain a secret, so nobody gets it. `reason` ends a sentence that begins "the token endpoint". */
  | { readonly kind: 'unusable'; readonly reason: string };

export interface AnsweredGrant {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresAtMs: number | undefined;
  readonly scopes: readonly string[];
  /** The answer without secrets, as JSON: a program gets it again, with phantoms, when it refreshes. */
  readonly template: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** How an answer is read: RFC 6749 §5.1, with the names of the definition. JSON only. */
export function readTokenAnswer(
  capture: CaptureDefinition,
  reply: Reply,
  sent: { readonly atMs: number; readonly scopes: readonly string[] },
): TokenAnswer {
  const fields = objectIn(reply.body);
  const isSuccess = reply.status >= 200 && reply.status < 300;
  const secrets = capture.secrets.filter(({ field }) => fields?.[field] != null);
  if (!isSuccess) return secrets.length === 0 ? { kind: 'refusal' } : unusable('sent a token with an error');
  if (fields === undefined) return unusable('answered with no JSON object');
  // RFC 8628 §3.5 as some services have it: an error with status 200.
  if (secrets.length === 0 && typeof fields.error === 'string') return { kind: 'refusal' };
  for (const { field } of secrets) {
    const value = fields[field];
    if (typeof value !== 'string' || !isToken(value)) return unusable(`sent ${field} that is no token`);
  }
  const named = (role: 'access_token' | 'refresh_token'): unknown => {
    const secret = capture.secrets.find((one) => one.role === role);
    return secret === undefined ? undefined : fields[secret.field];
  };
  const standard = { ...fields, access_token: named('access_token'), refresh_token: named('refresh_token') };
  const read = readTokenResponse(
    { ...reply, contentType: 'application/json', body: JSON.stringify(standard) },
    { requestedScopes: sent.scopes, sentAtMs: sent.atMs, secrets: [] },
  );
  if (read.kind === 'refused') return unusable('sent an error with a token');
  if (read.kind === 'unusable') return unusable(read.reason);
  const { accessToken, refreshToken, scopes, expiresAtMs } = read.tokens;
  const template = templateOf(capture, fields);
  const repeated = secrets.some(({ field }) => template.includes(JSON.stringify(fields[field]).slice(1, -1)));
  if (repeated) return unusable('repeats a token in another field');
  return {
    kind: 'tokens',
    grant: {
      accessToken,
      refreshToken,
      scopes,
      expiresAtMs: expiresAtMs ?? expiryOf(accessToken),
      template,
    },
  };
}

function objectIn(body: string): Fields | undefined {
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return isDeeperThan(value, deepest) ? undefined : (value as Fields);
}

const deepest = 32;

/** The fields in their order: tokens empty, further secrets as stand-ins. */
function templateOf(capture: CaptureDefinition, fields: Fields): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    const secret = capture.secrets.find(({ field }) => field === name);
    if (secret === undefined || typeof value !== 'string') return [name, value] as const;
    if (secret.role !== undefined) return [name, ''] as const;
    return [name, standIn(value, secret.claims)] as const;
  });
  return JSON.stringify(Object.fromEntries(shown));
}

/** What a program gets: the answer with these in the places of its tokens, and the seconds that are left. */
export function filledAnswer(
  capture: CaptureDefinition,
  template: string | undefined,
  given: {
    readonly phantoms: Readonly<Record<'access_token' | 'refresh_token', string | undefined>>;
    readonly expiresIn: number | undefined;
  },
): string {
  const fields: Record<string, unknown> = { ...(objectIn(template ?? '') ?? { token_type: 'Bearer' }) };
  for (const { field, role } of capture.secrets) {
    if (role !== undefined && given.phantoms[role] !== undefined) fields[field] = given.phantoms[role];
  }
  if (given.expiresIn !== undefined) fields.expires_in = given.expiresIn;
  return JSON.stringify(fields);
}

/**
 * What programs get from now on, after a refresh that the service answered so. Fields that it did not send again stay as they
 * were.
 */
export function renewedTemplate(
  capture: CaptureDefinition,
  before: string | undefined,
  reply: Pick<Reply, 'body'>,
): string | undefined {
  const fields = objectIn(reply.body);
  if (fields === undefined) return before;
  const renewed = objectIn(templateOf(capture, fields)) ?? {};
  return JSON.stringify({ ...objectIn(before ?? ''), ...renewed });
}

function unusable(reason: string): TokenAnswer {
  return { kind: 'unusable', reason };
}
