import type { Context, MiddlewareHandler } from 'hono';
import { AuthsomeError } from '../errors.ts';

interface Headers {
  readonly method: string;
  /** The host in the request target, if it names one. */
  readonly urlHost: string;
  readonly path: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  readonly fetchDest: string | undefined;
}

/**
 * Why a request is refused, or `undefined`. A name that rebinds to loopback still sends its own `Host`, and a foreign page
 * cannot suppress the headers in which the browser says where a request comes from. Only a plain navigation to a page
 * may come from another site: providers send people back to the callback.
 */
export function refusalOf(request: Headers, allowedHosts: ReadonlySet<string>): string | undefined {
  if (request.host === undefined || !allowedHosts.has(request.host) || request.urlHost !== request.host) {
    return 'the Host header names another site';
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const isOwnFetch = request.fetchSite === undefined || ['same-origin', 'none'].includes(request.fetchSite);
  const isNavigation =
    isRead &&
    request.fetchMode === 'navigate' &&
    request.fetchDest === 'document' &&
    request.path.startsWith('/auth/');
  if (!isOwnFetch && !isNavigation) return 'the request comes from another site';
  if (request.origin !== undefined && request.origin !== `http://${request.host}`) {
    // With `Referrer-Policy: no-referrer` the browser sends `null` for this site's own forms (Fetch, "append a request
    // Origin header"). Sec-Fetch-Site, which no page can set, then tells them from others.
    const isOwnForm = request.origin === 'null' && request.fetchSite === 'same-origin';
    if (!isOwnForm) return 'the request comes from another origin';
  }
  return undefined;
}

/** Refuses requests that another site makes or causes. */
export function guard(
  allowedHosts: () => ReadonlySet<string>,
  onRefused: (context: Context) => Promise<void>,
): MiddlewareHandler {
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
        fetchDest: context.req.header('sec-fetch-dest'),
      },
      allowedHosts(),
    );
    if (refusal !== undefined) {
      await onRefused(context);
      throw new AuthsomeError('OperationNotAllowed', `refused: ${refusal}`, {
        hint: `Open it as http://${[...allowedHosts()][0]}`,
      });
    }
    await next();
  };
}

/** Headers for every response, errors included. Scripts and styles are the daemon's own files; nothing is inline. */
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
