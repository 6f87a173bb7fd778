import { Fault } from './fault.ts';
import type { ResponseScrub } from './port.ts';
import {
  parseResponseHead,
  type ResponseChanges,
  type ResponseHead,
  rewriteResponseHead,
} from './response.ts';

/** The response head at `start`; `undefined` while incomplete; or the fault in it. A body that cannot be searched is one. */
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

/** The head of a final response for the client; `undefined` if its bytes can pass unchanged. */
export function clientHead(
  head: ResponseHead,
  changes: ResponseChanges,
  scrub: ResponseScrub | undefined,
): Buffer | undefined {
  const rewritten = rewriteResponseHead(head, changes);
  return scrub === undefined ? rewritten : scrub.head(head, rewritten);
}

/** The head of a 1xx response for the client. */
export function interimHead(head: ResponseHead, scrub: ResponseScrub | undefined): Buffer {
  const unchanged = { close: false, extraLine: undefined };
  return clientHead(head, unchanged, scrub) ?? head.bytes.subarray(head.start, head.end);
}
