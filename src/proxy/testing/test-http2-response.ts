import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';

/** What a test's client got on one stream. */
interface Http2Response {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly code: number;
}

/** The response on this stream, once it has ended, complete or not. */
export function responseOn(stream: ClientHttp2Stream): Promise<Http2Response> {
  return new Promise((resolve) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders | undefined;
    const chunks: Buffer[] = [];
    stream.on('response', (received) => {
      headers = received;
    });
    stream.on('trailers', (received: IncomingHttpHeaders) => {
      trailers = received;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('close', () =>
      resolve({ headers, body: Buffer.concat(chunks).toString(), trailers, code: stream.rstCode ?? 0 }),
    );
  });
}
