import {
  Body,
  Fault,
  joinedValue,
  type ResponseHead,
  type ResponseTransform,
  rewriteResponseHead,
  type TransformOutlet,
} from '../http1/index.ts';
import {
  codingsOf,
  holds,
  isTextual,
  type Needle,
  replaceAll,
  ScrubbedBody,
  unreadable,
} from '../scrub/index.ts';

/** The head with the needles replaced; the bytes given where there are none. `undefined` stays, where the head is clean. */
export function scrubHead(
  needles: readonly Needle[],
  head: ResponseHead,
  rewritten: Buffer | undefined,
): Buffer | undefined {
  if (!holds(needles, head.bytes, head.start, head.end)) return rewritten;
  return replaceAll(needles, rewritten ?? head.bytes.subarray(head.start, head.end));
}

/** Why this answer cannot be looked into, and is refused. */
export function scrubFault(needles: readonly Needle[], head: ResponseHead): Fault | undefined {
  if (needles.length === 0 || head.framing.kind === 'none') return undefined;
  const reason = unreadable(head.status, {
    contentType: joinedValue(head, 'content-type'),
    contentEncoding: joinedValue(head, 'content-encoding'),
  });
  return reason === undefined ? undefined : new Fault(reason);
}

/** How this answer's body has to change in passing, or `undefined` where it can go on as it is. */
export function scrubBody(
  needles: readonly Needle[],
  head: ResponseHead,
  outlet: TransformOutlet,
  clientMinor: 0 | 1,
): ResponseTransform | undefined {
  if (needles.length === 0 || head.framing.kind === 'none' || !isTextual(joinedValue(head, 'content-type'))) {
    return undefined;
  }
  const codings = codingsOf(joinedValue(head, 'content-encoding'));
  if (codings === undefined || (codings.length === 0 && isCleanAndWhole(needles, head))) return undefined;
  const chunked = clientMinor === 1 && head.framing.kind !== 'close';
  const reframe = { chunked, decoded: codings.length > 0 };
  let finished: ((whole: boolean) => void) | undefined;
  let trailers = '';
  const body = new ScrubbedBody(needles, codings, {
    emit(bytes) {
      return outlet.emit(chunked ? Buffer.concat([chunkHead(bytes.length), bytes, lineEnd]) : bytes);
    },
    block: (on) => outlet.block(on),
    over(whole) {
      if (whole && chunked) {
        outlet.emit(replaceAll(needles, Buffer.from(`0\r\n${trailers}\r\n`, 'latin1')));
      }
      if (finished === undefined) outlet.broken();
      else finished(whole);
    },
  });
  return {
    head: (changes) => {
      const rewritten = rewriteResponseHead(head, { ...changes, reframe }) as Buffer;
      return replaceAll(needles, rewritten);
    },
    payload: (bytes, start, end) => body.push(bytes.subarray(start, end)),
    finish(receivedTrailers, done) {
      trailers = receivedTrailers;
      finished = done;
      body.finish();
    },
    resume: () => body.resume(),
    abort: () => body.abort(),
  };
}

const lineEnd = Buffer.from('\r\n');

function chunkHead(size: number): Buffer {
  return Buffer.from(`${size.toString(16)}\r\n`, 'latin1');
}

/** The usual small answer: all of it came with its head, in one piece, and there is nothing in it to replace. */
function isCleanAndWhole(needles: readonly Needle[], head: ResponseHead): boolean {
  const { bytes, end, framing } = head;
  if (holds(needles, bytes, end, bytes.length)) return false;
  if (framing.kind === 'length') return bytes.length - end >= framing.length;
  if (framing.kind !== 'chunked') return false;
  const body = new Body(framing);
  let pieces = 0;
  body.take(bytes, end, bytes.length, () => {
    pieces += 1;
  });
  return body.done && pieces <= 1;
}
