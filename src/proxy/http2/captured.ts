import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { type CaptureUse, mostRequestBytes } from '../capture/index.ts';
import type { CapturedAnswer, CapturedRequest } from '../contract.ts';
import { hopByHopInHttp2 } from '../http1/index.ts';
import type { Http2Request } from './headers.ts';

/** The stream that a captured request came by. */
interface CapturedStream {
  readonly client: ServerHttp2Stream;
  moved(): void;
  guard(step: () => void): void;
}

/** Reads a request to an endpoint of a sign-in to its end, and answers it. */
export function answerCaptured(
  stream: CapturedStream,
  request: Http2Request,
  use: CaptureUse,
  raw: Socket,
): void {
  const { client } = stream;
  const chunks: Buffer[] = [];
  let length = 0;
  const send = (answer: CapturedAnswer): void =>
    stream.guard(() => {
      if (!client.closed && !client.headersSent) respond(client, answer, use.decision);
    });
  client.on('data', (chunk: Buffer) => {
    stream.moved();
    length += chunk.length;
    if (length <= mostRequestBytes) chunks.push(chunk);
  });
  client.once('end', () => {
    // Node ends a stream that was reset like a complete one.
    if (client.rstCode !== constants.NGHTTP2_NO_ERROR || client.aborted) return;
    if (length > mostRequestBytes) {
      send(use.tooLong());
      return;
    }
    const { query } = request;
    void use
      .answer({ query, headers: fieldsOf(request), body: Buffer.concat(chunks), client: raw })
      .then(send);
  });
}

function fieldsOf({ headers }: Http2Request): CapturedRequest['headers'] {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (name.startsWith(':') || hopByHopInHttp2.has(name) || value === undefined) return [];
    return [value].flat().map((one) => [name, one] as const);
  });
}

function respond(
  client: ServerHttp2Stream,
  { status, headers, body }: CapturedAnswer,
  decision: string,
): void {
  const fields: OutgoingHttpHeaders = { ':status': status };
  for (const [name, value] of headers) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat().map(String);
  }
  client.respond({ ...fields, 'content-length': body.length, 'authsome-decision': decision });
  client.end(body);
}
