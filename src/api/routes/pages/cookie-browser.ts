import type { Context } from 'hono';
import type { Browser } from '../../../connections/index.ts';
import type { AppEnv } from '../../app.ts';

/** Longer than any sign-in can be asked about. */
const lifetimeSeconds = 2 * 60 * 60;

/**
 * The browser of a request. It has one cookie for each sign-in, so that two of them may go on at a time. `Lax`: it comes
 * along when the provider sends the browser back. Loopback has no TLS, so `Secure` would lose it in some browsers.
 */
export function browserOf(context: Context<AppEnv>): Browser {
  return {
    cookiesFor(sessionId) {
      const start = `${nameOf(sessionId)}=`;
      const pairs = (context.req.header('cookie') ?? '').split(';').map((pair) => pair.trim());
      return pairs.filter((pair) => pair.startsWith(start)).map((pair) => pair.slice(start.length));
    },
    giveCookie(sessionId, value) {
      const attributes = `Path=/auth; Max-Age=${lifetimeSeconds}; HttpOnly; SameSite=Lax`;
      context.header('Set-Cookie', `${nameOf(sessionId)}=${value}; ${attributes}`, { append: true });
    },
  };
}

function nameOf(sessionId: string): string {
  return `authsome_${sessionId}`;
}
