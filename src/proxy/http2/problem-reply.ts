import { constants, type ServerHttp2Stream } from 'node:http2';
import { type Problem, problemDocument, problemStatus } from '../refusal/index.ts';

/** Sends the problem as this stream's response, unless a response has begun. HEAD gets no body. */
export function replyWithProblem(client: ServerHttp2Stream, problem: Problem, isHead: boolean): void {
  if (client.closed || client.headersSent) return;
  const document = problemDocument(problem);
  client.respond({
    ':status': problemStatus(problem),
    'content-type': 'application/problem+json',
    'content-length': Buffer.byteLength(document),
    'cache-control': 'no-store',
    'authsome-decision': problem.decision,
  });
  // The rest of a refused request is not read.
  client.end(isHead ? undefined : document, () => {
    if (!client.readableEnded) client.close(constants.NGHTTP2_NO_ERROR);
  });
}
