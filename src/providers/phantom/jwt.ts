import { parseJson } from '../../json.ts';
import { longestPhantom, type RandomBytes, randomText } from './from-pattern.ts';
import { lengthClass } from './stretches.ts';

/** 2100-01-01: it never expires by itself; whether a request gets a credential is not its business. */
const expiresAt = 4_102_444_800;

/** Whether the secret is a JSON Web Token (RFC 7519), signed. */
export function isJwt(secret: string): boolean {
  const parts = /^(eyJ[\w-]+)\.[\w-]+\.[\w-]+$/.exec(secret);
  if (parts === null) return false;
  const header = parseJson(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'));
  return typeof header === 'object' && header !== null && 'alg' in header;
}

/**
 * A token of about that length whose header and claims can be read, and which no key has signed. With each attempt its
 * parts move, so that what it says is not spelled as in the secret.
 */
export function jwtPhantom(secret: string, attempt: number, randomBytes: RandomBytes): string {
  const signature = `phantom${randomText(36, randomBytes)}`;
  const header = encoded({ phantom: 'x'.repeat(1 + (attempt % 3)), alg: 'none' });
  const around = header.length + signature.length + encoded({ phantom: '', exp: expiresAt }).length + 2;
  const wanted = Math.min(longestPhantom - 8, lengthClass(secret.length)) - around;
  const length = Math.max(32, Math.floor((wanted * 3) / 4)) - Math.floor(attempt / 3);
  return `${header}.${encoded({ phantom: randomText(length, randomBytes), exp: expiresAt })}.${signature}`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
