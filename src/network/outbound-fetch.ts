import type { buildConnector } from 'undici';
import { AuthsomeError } from '../errors.ts';
import { isLoopbackName } from '../loopback.ts';
import type { Dialer, Fetch, OutboundFetchOptions } from './contract.ts';

const defaultMaxBodyBytes = 1024 * 1024;
const defaultTimeoutMs = 30_000;

/** A response that cannot be used; the message says why without quoting it. */
class Unusable extends Error {}

/**
 * A `fetch` for the daemon's own calls, over the dialer: https only (plain http to loopback), no redirects, bounded in
 * time and size. The response has been read to its end. A caller that asks for redirects (`redirect: 'manual'`) gets
 * their status alone, without body or target. Throws `EndpointUnreachable`, whose message never quotes what was
 * sent or received, `AddressForbidden`, or `Cancelled` when the caller's signal aborts.
 */
export function outboundFetch(dialer: Dialer, options: OutboundFetchOptions): Fetch {
  const { publicOnly, maxBodyBytes = defaultMaxBodyBytes, timeoutMs = defaultTimeoutMs } = options;
  const connector: buildConnector.connector = (target, callback) => {
    const isSecure = target.protocol === 'https:';
    const dial = {
      host: target.hostname,
      port: Number(target.port || (isSecure ? 443 : 80)),
      allowPrivateAddress: !publicOnly,
      isStrangers: publicOnly,
    };
    const connecting = isSecure ? dialer.connectTls({ ...dial, alpn: ['http/1.1'] }) : dialer.connect(dial);
    connecting.then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
  const load = async () => {
    const { Agent, fetch } = await import('undici');
    return { fetch, agent: new Agent({ connect: connector, keepAliveTimeout: 1_000, pipelining: 1 }) };
  };
  let loaded: ReturnType<typeof load> | undefined;

  return async (input, init) => {
    const request = await plainRequest(input, init);
    const url = checkedUrl(request.url);
    const deadline = AbortSignal.timeout(timeoutMs);
    const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
    try {
      loaded ??= load();
      const { fetch, agent } = await loaded;
      const response = await fetch(url, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        redirect: 'manual',
        signal,
        dispatcher: agent,
      });
      if (response.status >= 300 && response.status < 400 && response.status !== 304) {
        await response.body?.cancel();
        if (request.returnsRedirects) return new Response(null, { status: response.status });
        throw new Unusable(`it redirects (status ${response.status}), and redirects are not followed`);
      }
      const body = await boundedBody(response.body, maxBodyBytes);
      const hasNoBody = response.status === 204 || response.status === 205 || response.status === 304;
      return new Response(hasNoBody ? null : body, {
        status: response.status,
        headers: [...response.headers].filter(([name]) => !staleHeaders.has(name)),
      });
    } catch (error) {
      if (request.signal?.aborted === true) {
        throw new AuthsomeError('Cancelled', `the request to ${url.host} was cancelled`);
      }
      throw failure(url, error, deadline.aborted ? timeoutMs : undefined);
    }
  };
}

/** They describe the body as it was on the wire; it has been decoded since. */
const staleHeaders = new Set(['content-encoding', 'content-length', 'transfer-encoding']);

interface PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: [string, string][];
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal | undefined;
  readonly returnsRedirects: boolean;
}

/** A request in values that every implementation of fetch takes. */
async function plainRequest(
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<PlainRequest> {
  let request: Request;
  try {
    request = new Request(input, init);
  } catch {
    // The error of `Request` quotes the header value that it refuses.
    throw new AuthsomeError(
      'EndpointUnreachable',
      'the request contains a value that is not allowed in a header or URL',
    );
  }
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return {
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    body,
    signal: init?.signal ?? (input instanceof Request ? input.signal : undefined),
    returnsRedirects: request.redirect === 'manual',
  };
}

function checkedUrl(text: string): URL {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackName(host))) return url;
  throw new AuthsomeError('EndpointUnreachable', `cannot call ${url.host}: its URL is not https`, {
    hint: 'Correct the URL in the provider definition.',
  });
}

async function boundedBody(
  body: AsyncIterable<Uint8Array> | null,
  maxBodyBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new Unusable(`its response is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function failure(url: URL, error: unknown, lateAfterMs: number | undefined): AuthsomeError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AuthsomeError && cause.code === 'AddressForbidden') return cause;
  const hint = cause instanceof AuthsomeError ? cause.hint : undefined;
  return new AuthsomeError('EndpointUnreachable', failureMessage(url, cause, lateAfterMs), {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

function failureMessage({ host, hostname }: URL, cause: unknown, lateAfterMs: number | undefined): string {
  if (cause instanceof Unusable) return `${host} sent an unusable response: ${cause.message}`;
  if (cause instanceof AuthsomeError) {
    // The dialer's own messages name the host; those about a proxy name the proxy alone.
    return cause.message.includes(hostname) ? cause.message : `cannot reach ${host}: ${cause.message}`;
  }
  const reason =
    lateAfterMs === undefined
      ? 'the connection closed before the response was complete'
      : `no complete response within ${lateAfterMs / 1000} seconds`;
  return `${host} did not respond: ${reason}`;
}
