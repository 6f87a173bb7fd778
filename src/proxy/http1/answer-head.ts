import type { ResponseScrub } from './port.ts';
import { type ResponseChanges, type ResponseHead, rewriteResponseHead } from './response.ts';

/** The head of a final answer as the client gets it; `undefined` when its bytes can go on as they are. */
export function answerHead(
  head: ResponseHead,
  changes: ResponseChanges,
  scrub: ResponseScrub | undefined,
): Buffer | undefined {
  const rewritten = rewriteResponseHead(head, changes);
  return scrub === undefined ? rewritten : scrub.head(head, rewritten);
}

/** The head of a 1xx answer as the client gets it. */
export function interimHead(head: ResponseHead, scrub: ResponseScrub | undefined): Buffer {
  const unchanged = { close: false, extraLine: undefined };
  return answerHead(head, unchanged, scrub) ?? head.bytes.subarray(head.start, head.end);
}
