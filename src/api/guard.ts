import type { MiddlewareHandler } from 'hono';
import { AuthsomeError } from '../errors.ts';

interface Headers {
  readonly method: string;
  /** Of the parsed request target, when it named one. */
  readonly urlHost: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
}

/**
 * Why a request must not be looked at, or `undefined`. A name that rebinds to loopback still carries its own `Host`,
 * and a foreign page cannot leave out what the browser says about where it comes from. Only a plain navigation to
 * a page of ours may come from elsewhere: providers send people back to the callback.
 */
export function refusalOf(request: Headers, allowedHosts: ReadonlySet<string>): string | undefined {
  if (request.host === undefined || !allowedHosts.has(request.host) || request.urlHost !== request.host) {
    return 'the Host header names another site';
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isOwnFetch = request.fetchSite === undefined || ['same-origin', 'none'].includes(request.fetchSite);
  const isNavigation = isRead && request.fetchMode === 'navigate' && request.path.startsWith('/auth/');
  if (!isOwnFetch && !isNavigation) return 'the request comes from another site';
  if (request.origin !== undefined && request.origin !== `http://${request.host}`) {
    // `Referrer-Policy: no-referrer` makes the browser write `null` on our own forms (Fetch, "append a request Origin
    // header"); who else sent it is then told by Sec-Fetch-Site, which no page can set.
    const isOwnForm = request.origin === 'null' && request.fetchSite === 'same-origin';
    if (!isOwnForm) return 'the request comes from another origin';
  }
  return undefined;
}

/** Refuses what another site had a hand in, and gives every answer the headers that keep it private. */
export function guard(allowedHosts: () => ReadonlySet<string>): MiddlewareHandler {
  return async (context, next) => {
    const url = new URL(context.req.url);
    const refusal = refusalOf(
      {
        method: context.req.method,
        urlHost: url.host,
        path: url.pathname,
        host: context.req.header('host'),
        origin: context.req.header('origin'),
        fetchSite: context.req.header('sec-fetch-site'),
        fetchMode: context.req.header('sec-fetch-mode'),
      },
      allowedHosts(),
    );
    if (refusal !== undefined) {
      throw new AuthsomeError('OperationNotAllowed', `refused: ${refusal}`, {
        hint: `Open it as http://${[...allowedHosts()][0]}`,
      });
    }
    await next();
  };
}

/** For every answer, errors included. `script` and `style` are our own files; nothing is inline. */
export function protectiveHeaders(formTargets: readonly string[] = []): Readonly<Record<string, string>> {
  const formAction = ["'self'", ...formTargets].join(' ');
  return {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action ${formAction}; frame-ancestors 'none'; base-uri 'none'`,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  };
}
