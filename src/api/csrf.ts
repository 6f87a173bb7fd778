import { createHmac, timingSafeEqual } from 'node:crypto';

export const csrfField = 'csrf_token';
const cookieName = 'authsome_form';

/**
 * The token of a form. It is bound to the cookie of the sign-in's browser, and to a second one that no other site's form
 * sends along. Nothing is stored, so a form survives a restart of the daemon.
 */
export function csrfToken(browserCookie: string, cookie: string): string {
  return createHmac('sha256', browserCookie).update(`authsome-form\n${cookie}`).digest('base64url');
}

export function csrfTokenMatches(
  browserCookie: string,
  cookie: string | undefined,
  token: string | null,
): boolean {
  if (cookie === undefined || token === null) return false;
  const expected = Buffer.from(csrfToken(browserCookie, cookie));
  const actual = Buffer.from(token);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** `Set-Cookie` for the page of a session. Loopback has no TLS, so `Secure` would lose it in some browsers. */
export function formCookie(path: string, value: string): string {
  return `${cookieName}=${value}; Path=${path}; HttpOnly; SameSite=Strict`;
}

/** The value of the form's cookie in a `Cookie` header. */
export function formCookieIn(header: string | undefined): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === cookieName && value !== undefined && /^[A-Za-z0-9_-]{16,64}$/.test(value)) return value;
  }
  return undefined;
}
