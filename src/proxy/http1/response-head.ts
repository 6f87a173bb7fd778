import { Fault } from './fault.ts';
import type { ResponseScrub } from './port.ts';
import {
  parseResponseHead,
  type ResponseChanges,
  type ResponseHead,
  rewriteResponseHead,
} from './response.ts';

/** The response's head at `start`; `undefined` while incomplete; or the rule that it breaks, ours about secrets included. */
export function readResponseHead(
  bytes: Buffer,
  start: number,
  method: string,
  scrub: ResponseScrub | undefined,
): ResponseHead | Fault | undefined {
  const head = parseResponseHead(bytes, start, bytes.length, method);
  if (head === undefined || head instanceof Fault) return head;
  return scrub?.fault(head) ?? head;
}

/** The head of a final response as the client gets it; `undefined` when its bytes can go on as they are. */
export function clientHead(
  head: ResponseHead,
  changes: ResponseChanges,
  scrub: ResponseScrub | undefined,
): Buffer | undefined {
  const rewritten = rewriteResponseHead(head, changes);
  return scrub === undefined ? rewritten : scrub.head(head, rewritten);
}

/** The head of a 1xx response as the client gets it. */
export function interimHead(head: ResponseHead, scrub: ResponseScrub | undefined): Buffer {
  const unchanged = { close: false, extraLine: undefined };
  return clientHead(head, unchanged, scrub) ?? head.bytes.subarray(head.start, head.end);
}
