import { isDeeperThan, parseJson } from '../../json.ts';

type Claims = Readonly<Record<string, unknown>>;

/** The claims of a JSON Web Token (RFC 7519), unverified; `undefined` for what is none. */
export function claimsOf(token: string): Claims | undefined {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  const claims = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return undefined;
  return isDeeperThan(claims, deepest) ? undefined : (claims as Claims);
}

const deepest = 32;

/** When the token ends, in milliseconds, as it says itself (RFC 7519 §4.1.4). */
export function expiryOf(token: string): number | undefined {
  const expires = claimsOf(token)?.exp;
  return typeof expires === 'number' && Number.isFinite(expires) && expires > 0 ? expires * 1000 : undefined;
}

/**
 * A token with those of the claims that a program reads. No key has signed it, and it says so: nothing but that program
 * takes it for a token.
 */
export function standIn(token: string, names: readonly string[]): string {
  const claims = claimsOf(token) ?? {};
  const kept = names.flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name]] as const] : []));
  const header = encoded({ alg: 'none', typ: 'JWT', phantom: true });
  const signature = Buffer.from('phantom: signed by nobody').toString('base64url');
  return `${header}.${encoded(Object.fromEntries(kept))}.phantom${signature}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
