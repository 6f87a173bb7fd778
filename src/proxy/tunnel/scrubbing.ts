import type { Grant } from '../hearing/index.ts';
import {
  Body,
  Fault,
  Field,
  joinedValue,
  type ResponseHead,
  type ResponseScrub,
  type ResponseTransform,
  rewriteResponseHead,
  stride,
  type TransformOutlet,
} from '../http1/index.ts';
import {
  type Coding,
  codingsOf,
  isTextualAt,
  type Needles,
  noNeedles,
  ScrubbedBody,
  unreadable,
} from '../scrub/index.ts';

const notCoded: readonly Coding[] = [];

/** Looks into the answers to one request. Most hold no secret, and one pass over their bytes says so. */
export class AnswerScrub implements ResponseScrub {
  readonly #grant: Grant;
  readonly #clientMinor: 0 | 1;
  /** Of the answer that was looked at last. */
  #needles: Needles = noNeedles;
  #codings: readonly Coding[] | undefined;
  #isHeadClean = true;
  #isBodyClean = false;

  constructor(grant: Grant, clientMinor: 0 | 1) {
    this.#grant = grant;
    this.#clientMinor = clientMinor;
  }

  /** Comes first for every answer, so what the rest needs to know is found here. */
  fault(head: ResponseHead): Fault | undefined {
    const { bytes, start, end, framing, status } = head;
    // Asked for when the answer comes: the credential may have been renewed by then.
    const needles = this.#grant.needles();
    this.#needles = needles;
    if (needles.isEmpty) return undefined;
    const isText = framing.kind !== 'none' && isTextualBody(head);
    this.#codings = isText ? notCoded : undefined;
    if (isText && isCoded(head)) {
      const contentEncoding = joinedValue(head, 'content-encoding');
      const reason = unreadable(status, { contentType: undefined, contentEncoding });
      if (reason !== undefined) return new Fault(reason);
      this.#codings = codingsOf(contentEncoding);
    }
    const isPlain = this.#codings?.length === 0;
    const isAllHere = isPlain && framing.kind === 'length' && bytes.length - end >= framing.length;
    const first = needles.indexIn(bytes, start, isAllHere ? bytes.length : end);
    this.#isHeadClean = first === -1 || first >= end;
    this.#isBodyClean = isPlain && (isAllHere ? first === -1 : isWholeAndClean(needles, head));
    return undefined;
  }

  head(head: ResponseHead, rewritten: Buffer | undefined): Buffer | undefined {
    if (this.#isHeadClean) return rewritten;
    return this.#needles.replaceIn(rewritten ?? head.bytes.subarray(head.start, head.end));
  }

  body(head: ResponseHead, outlet: TransformOutlet): ResponseTransform | undefined {
    if (this.#codings === undefined || this.#isBodyClean) return undefined;
    return transform(this.#needles, this.#codings, head, outlet, this.#clientMinor);
  }
}

/** A type given twice is text when one of them is: clients differ in which they believe. */
function isTextualBody({ bytes, marks }: ResponseHead): boolean {
  let isTyped = false;
  for (let mark = 0; mark < marks.length; mark += stride) {
    if (marks[mark + 4] !== Field.contentType) continue;
    isTyped = true;
    if (isTextualAt(bytes, marks[mark + 2] as number, marks[mark + 3] as number)) return true;
  }
  return !isTyped;
}

function isCoded({ marks }: ResponseHead): boolean {
  for (let mark = 4; mark < marks.length; mark += stride) {
    if (marks[mark] === Field.contentEncoding) return true;
  }
  return false;
}

/** Whether all of a chunked body came with its head, holds no needle, and no chunk ends in what the next may finish. */
function isWholeAndClean(needles: Needles, { bytes, end, framing }: ResponseHead): boolean {
  if (framing.kind !== 'chunked') return false;
  const body = new Body(framing);
  let isClean = true;
  let isUnfinished = false;
  body.take(bytes, end, bytes.length, (_, from, to) => {
    isClean &&= !isUnfinished;
    isUnfinished = needles.unfinishedIn(bytes, from, to) < to;
  });
  return isClean && body.done && needles.indexIn(bytes, end, bytes.length) === -1;
}

function transform(
  needles: Needles,
  codings: readonly Coding[],
  head: ResponseHead,
  outlet: TransformOutlet,
  clientMinor: 0 | 1,
): ResponseTransform {
  const chunked = clientMinor === 1 && head.framing.kind !== 'close';
  const reframe = { chunked, decoded: codings.length > 0 };
  let finished: ((whole: boolean) => void) | undefined;
  let trailers = '';
  const body = new ScrubbedBody(needles, codings, {
    emit(bytes) {
      return outlet.emit(chunked ? chunkOf(bytes) : bytes);
    },
    block: (on) => outlet.block(on),
    over(whole) {
      if (whole && chunked) {
        outlet.emit(needles.replaceIn(Buffer.from(`0\r\n${trailers}\r\n`, 'latin1')));
      }
      if (finished === undefined) outlet.broken();
      else finished(whole);
    },
  });
  return {
    head: (changes) => {
      const rewritten = rewriteResponseHead(head, { ...changes, reframe }) as Buffer;
      return needles.replaceIn(rewritten);
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

/** The bytes as one chunk (RFC 9112 §7.1): in one piece, since each write is a TLS record of its own. */
function chunkOf(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16);
  const out = Buffer.allocUnsafe(size.length + bytes.length + 4);
  for (let index = 0; index < size.length; index += 1) out[index] = size.charCodeAt(index);
  const end = size.length + 2 + bytes.length;
  out[size.length] = CR;
  out[size.length + 1] = LF;
  out.set(bytes, size.length + 2);
  out[end] = CR;
  out[end + 1] = LF;
  return out;
}

const CR = 0x0d;
const LF = 0x0a;
