import type { buildConnector } from 'undici';
import { AuthsomeError } from '../errors.ts';
import { isLoopbackName } from '../loopback.ts';
import type { Dialer, Fetch, OutboundFetchOptions } from './dialer.ts';

const defaultMaxBodyBytes = 1024 * 1024;
const defaultTimeoutMs = 30_000;

/** What can be said of a failure without quoting it. */
class Unanswered extends Error {}

/**
 * A `fetch` for the daemon's own calls, over the dialler: https only (plain http to loopback), no redirects, bounded
 * in time and size. The answer has been read to its end. A redirect is returned, bare of its body and of where it leads,
 * to a caller that asks for that (`redirect: 'manual'`). Throws `EndpointUnreachable`, whose message never quotes what was
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
      const answer = await fetch(url, {
        method: request.method,
        headers: request.headers,
        body: request.body,
        redirect: 'manual',
        signal,
        dispatcher: agent,
      });
      if (answer.status >= 300 && answer.status < 400 && answer.status !== 304) {
        await answer.body?.cancel();
        if (request.judgesRedirects) return new Response(null, { status: answer.status });
        throw new Unanswered(`it answers with a redirect (status ${answer.status}), which is not followed`);
      }
      const body = await boundedBody(answer.body, maxBodyBytes);
      const hasNoBody = answer.status === 204 || answer.status === 205 || answer.status === 304;
      return new Response(hasNoBody ? null : body, {
        status: answer.status,
        headers: [...answer.headers].filter(([name]) => !staleHeaders.has(name)),
      });
    } catch (error) {
      if (request.signal?.aborted === true) {
        throw new AuthsomeError('Cancelled', `the request to ${url.host} was cancelled`);
      }
      throw failure(url, error, deadline.aborted ? timeoutMs : undefined);
    }
  };
}

/** Said of the body as it was on the wire; it has been decoded since. */
const staleHeaders = new Set(['content-encoding', 'content-length', 'transfer-encoding']);

interface PlainRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: [string, string][];
  readonly body: string | Uint8Array | null;
  readonly signal: AbortSignal | undefined;
  readonly judgesRedirects: boolean;
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
    // Its own error quotes the header value that it did not like.
    throw new AuthsomeError(
      'EndpointUnreachable',
      'a request could not be written: a value in it is not allowed',
    );
  }
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return {
    url: request.url,
    method: request.method,
    headers: [...request.headers],
    body,
    signal: init?.signal ?? (input instanceof Request ? input.signal : undefined),
    judgesRedirects: request.redirect === 'manual',
  };
}

function checkedUrl(text: string): URL {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackName(host))) return url;
  throw new AuthsomeError('EndpointUnreachable', `${url.host} cannot be called: its URL is not https`, {
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
    if (length > maxBodyBytes) throw new Unanswered(`its answer is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function failure(url: URL, error: unknown, lateAfterMs: number | undefined): AuthsomeError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AuthsomeError && cause.code === 'AddressForbidden') return cause;
  const reason =
    cause instanceof AuthsomeError || cause instanceof Unanswered
      ? cause.message
      : lateAfterMs === undefined
        ? 'the connection broke before its answer was complete'
        : `no complete answer within ${lateAfterMs / 1000} seconds`;
  const hint = cause instanceof AuthsomeError ? cause.hint : undefined;
  const what = cause instanceof Unanswered ? 'gave no usable answer' : 'did not answer';
  return new AuthsomeError('EndpointUnreachable', `${url.host} ${what}: ${reason}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
