import { AuthsomeError } from '../errors.ts';
import { isLoopbackHost } from '../loopback.ts';
import { retryAfterMs } from './retry-after.ts';

/** A WHATWG fetch that follows no redirects and bounds time and size; the caller decides how it connects. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A POST to one of a provider's OAuth endpoints. `headers` and `body` contain secrets: never print one. */
export interface EndpointRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A response that is not read yet. `body` may contain secrets. */
export interface Reply {
  readonly status: number;
  /** Media type in lower case, without parameters; empty when none was sent. */
  readonly contentType: string;
  /** `WWW-Authenticate`; empty when none was sent. */
  readonly challenge?: string;
  /** How long the server wants not to be asked again (RFC 9110 §10.2.3); at most ten minutes. */
  readonly retryAfterMs?: number | undefined;
  readonly body: string;
}

const requestTimeoutMs = 20_000;

/**
 * The reply to `request`, whatever its status. `what` names the endpoint for people ("token endpoint").
 * Rejects with EndpointUnreachable; neither the URL's query nor anything that was sent is in the error.
 */
export async function send(
  fetch: Fetch,
  request: EndpointRequest,
  what: string,
  timeoutMs = requestTimeoutMs,
): Promise<Reply> {
  const { url, headers, body } = request;
  return await ask(fetch, url, what, { method: 'POST', headers, body, timeoutMs });
}

interface DocumentOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** The reply to a GET that accepts JSON; errors as for `send`, and for a redirect, which leads away from any document. */
export async function fetchDocument(
  fetch: Fetch,
  address: string,
  what: string,
  { headers = {}, timeoutMs = requestTimeoutMs }: DocumentOptions = {},
): Promise<Reply> {
  const init = { headers: { accept: 'application/json', ...headers }, timeoutMs };
  const reply = await ask(fetch, address, what, init);
  if (reply.status >= 300 && reply.status < 400 && reply.status !== 304) {
    throw new AuthsomeError(
      'EndpointUnreachable',
      `the ${what} at ${new URL(address).host} responded with a redirect (status ${reply.status}), which authsome does not follow`,
      { hint: 'Use the address that it redirects to.' },
    );
  }
  return reply;
}

async function ask(
  fetch: Fetch,
  address: string,
  what: string,
  { timeoutMs, ...init }: RequestInit & { readonly timeoutMs: number },
): Promise<Reply> {
  const url = requireSecureUrl(address, what);
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    return await replyOf(await fetch(url, { ...init, redirect: 'manual', signal: deadline }));
  } catch (error) {
    throw deadline.aborted ? unreachable(deadline.reason, url, what) : unreachable(error, url, what);
  }
}

async function replyOf(response: Response): Promise<Reply> {
  const contentType = (response.headers.get('content-type') ?? '').split(';', 1)[0] ?? '';
  return {
    status: response.status,
    contentType: contentType.trim().toLowerCase(),
    challenge: response.headers.get('www-authenticate') ?? '',
    retryAfterMs: retryAfterMs(response.headers),
    body: await response.text(),
  };
}

/** A form POST that asks for JSON. */
export function formRequest(
  url: string,
  form: URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): EndpointRequest {
  return encodedRequest(url, form, 'form', headers);
}

/** A POST of parameters that asks for JSON. */
export function encodedRequest(
  url: string,
  params: URLSearchParams,
  encoding: 'form' | 'json',
  headers: Readonly<Record<string, string>>,
): EndpointRequest {
  const isForm = encoding === 'form';
  return {
    url,
    headers: {
      accept: 'application/json',
      'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      ...headers,
    },
    body: isForm ? params.toString() : JSON.stringify(Object.fromEntries(params)),
  };
}

/** The URL, when a secret may travel to it: https, or loopback. Otherwise an InvalidDefinition. */
export function requireSecureUrl(address: string, what: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && url.username === '' && url.password === '') {
    if (url.protocol === 'https:') return url;
    if (url.protocol === 'http:' && isLoopbackHost(url.hostname)) return url;
  }
  throw new AuthsomeError('InvalidDefinition', `the ${what} is not an https URL`);
}

function unreachable(error: unknown, url: URL, what: string): AuthsomeError {
  const cause = error instanceof Error && error.cause instanceof AuthsomeError ? error.cause : error;
  if (cause instanceof AuthsomeError) return cause;
  return new AuthsomeError('EndpointUnreachable', `cannot reach the ${what} at ${url.host}${why(error)}`, {
    hint: 'Check your network, and HTTPS_PROXY if you are behind a proxy, then try again.',
    cause: error,
  });
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return ': it timed out';
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' && /^[A-Z_0-9]{2,40}$/.test(code) ? `: ${code}` : '';
}
