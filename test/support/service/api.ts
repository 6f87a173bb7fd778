import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** What arrived, as it arrived. */
export interface ReceivedRequest {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly bodyBytes: number;
  readonly bodySha256: string;
}

export interface ApiOptions {
  readonly accepts: (credential: string) => Promise<boolean>;
}

export interface Api {
  handle(request: IncomingMessage, response: ServerResponse): void;
  readonly received: ReceivedRequest[];
}

/**
 * A small API that records every request. `/public…` needs no credential; everything else needs one that
 * `accepts` knows, as a bearer, in `x-api-key`, as a Basic password or in `?key=`.
 */
export function createApi(options: ApiOptions): Api {
  const received: ReceivedRequest[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `https://${request.headers.host}`);
    const digest = createHash('sha256');
    let bodyBytes = 0;
    for await (const chunk of request) {
      digest.update(chunk as Buffer);
      bodyBytes += (chunk as Buffer).length;
    }
    const seen: ReceivedRequest = {
      host: request.headers.host ?? '',
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      bodyBytes,
      bodySha256: digest.digest('hex'),
    };
    received.push(seen);
    response.setHeader('content-type', 'application/json');
    const credential = credentialOf(seen);
    const isWelcome =
      seen.path.startsWith('/public') || (credential !== undefined && (await options.accepts(credential)));
    if (!isWelcome) {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' });
      response.end('{"error":"who are you?"}\n');
      return;
    }
    if (seen.path === '/v1/large') {
      const block = Buffer.alloc(65_536, 'a');
      for (let rest = Number(url.searchParams.get('bytes') ?? 0); rest > 0; rest -= block.length) {
        if (!response.write(block.subarray(0, rest))) {
          await new Promise((resolve) => response.once('drain', resolve));
        }
      }
      response.end();
      return;
    }
    if (seen.path === '/v1/events') {
      response.setHeader('content-type', 'text/event-stream');
      for (const number of [1, 2, 3]) response.write(`data: ${number}\n\n`);
      response.end();
      return;
    }
    const body = bodyBytes === 0 ? {} : { bodyBytes, bodySha256: seen.bodySha256 };
    response.end(`${JSON.stringify({ hello: 'ada', path: seen.path, ...body })}\n`);
  }

  return {
    received,
    handle(request, response) {
      answer(request, response).catch(() => response.destroy());
    },
  };
}

/** The credential wherever an API may look for one; the first that is there. */
function credentialOf(request: Pick<ReceivedRequest, 'headers' | 'query'>): string | undefined {
  const authorization = request.headers.authorization;
  if (authorization !== undefined) {
    const [scheme = '', value = ''] = authorization.split(' ', 2);
    if (scheme.toLowerCase() !== 'basic') return value;
    return Buffer.from(value, 'base64').toString('utf8').split(':').slice(1).join(':');
  }
  const key = request.headers['x-api-key'];
  return (typeof key === 'string' ? key : undefined) ?? request.query.get('key') ?? undefined;
}
