import type { CredentialUse } from '../authorize/index.ts';
import { type Coding, codingsOf, decodedAtOnce } from '../coding/index.ts';
import {
  Body,
  chunkOf,
  Fault,
  Field,
  joinedValue,
  lastChunk,
  type ResponseHead,
  type ResponseScrub,
  type ResponseTransform,
  rewriteResponseHead,
  stride,
  type TransformOutlet,
  withoutLines,
} from '../http1/index.ts';
import type { Needles } from '../needles/index.ts';
import {
  fieldsAboutBytes,
  isTextualAt,
  mayHideText,
  noNeedles,
  ScrubbedBody,
  unreadable,
} from '../scrub/index.ts';

const notCoded: readonly Coding[] = [];
const nothing: readonly string[] = [];

/** Runs a step in the background and reports its failure. */
interface Guard {
  guard(step: () => void): void;
}

/** Removes secrets from the responses to one request. Most contain none, and one pass over their bytes shows it. */
export class ResponseScrubber implements ResponseScrub {
  readonly #use: CredentialUse;
  readonly #clientMinor: 0 | 1;
  readonly #guard: Guard;
  /** For the latest response. */
  #needles: Needles = noNeedles;
  /** Whether its body is searched. Its trailers are searched anyway. */
  #isText = false;
  #codings: readonly Coding[] | undefined;
  #isHeadClean = true;
  #isBodyClean = false;

  constructor(use: CredentialUse, clientMinor: 0 | 1, guard: Guard) {
    this.#use = use;
    this.#clientMinor = clientMinor;
    this.#guard = guard;
  }

  /** Is called first for each response, so it collects what the other methods need. */
  fault(head: ResponseHead): Fault | undefined {
    const { bytes, start, end, framing, status } = head;
    // Only now, since the credential may have been renewed after the request was sent.
    const needles = this.#use.needles();
    this.#needles = needles;
    if (needles.isEmpty) return undefined;
    const isText = framing.kind !== 'none' && isTextualBody(head);
    this.#isText = isText;
    this.#codings = isText || framing.kind === 'chunked' ? notCoded : undefined;
    if (isText && (isCoded(head) || mayHideItsText(head))) {
      const contentEncoding = joinedValue(head, 'content-encoding');
      const contentType = joinedValue(head, 'content-type');
      const reason = unreadable(status, { contentType, contentEncoding });
      if (reason !== undefined) return new Fault(reason);
      this.#codings = codingsOf(contentEncoding);
    }
    const isComplete = isText && framing.kind === 'length' && bytes.length - end >= framing.length;
    const first = needles.indexIn(bytes, start, isComplete ? bytes.length : end);
    this.#isHeadClean = first === -1 || first >= end;
    this.#isBodyClean =
      first === -1 && this.#codings !== undefined && isClean(needles, this.#codings, head, isComplete);
    return undefined;
  }

  head(head: ResponseHead, rewritten: Buffer | undefined): Buffer | undefined {
    if (this.#isHeadClean) return rewritten;
    return this.#needles.replaceIn(rewritten ?? head.bytes.subarray(head.start, head.end));
  }

  body(head: ResponseHead, outlet: TransformOutlet): ResponseTransform | undefined {
    if (this.#codings === undefined || this.#isBodyClean) return undefined;
    return this.#transform(this.#codings, head, outlet);
  }

  #transform(codings: readonly Coding[], head: ResponseHead, outlet: TransformOutlet): ResponseTransform {
    const needles = this.#needles;
    const needlesNow = this.#isText ? () => this.#use.needles() : () => noNeedles;
    const chunked = this.#clientMinor === 1 && head.framing.kind !== 'close';
    const without = this.#isText ? fieldsAboutBytes : nothing;
    const reframe = { chunked, decoded: codings.length > 0, without };
    let finished: ((complete: boolean) => void) | undefined;
    let trailers = '';
    const body = new ScrubbedBody(needlesNow, codings, {
      emit(bytes) {
        return outlet.emit(chunked ? chunkOf(bytes) : bytes);
      },
      block: (on) => outlet.block(on),
      guard: (step) => this.#guard.guard(step),
      ended: (isComplete) => {
        if (isComplete && chunked) {
          outlet.emit(this.#use.needles().replaceIn(lastChunk(trailers)));
        }
        if (finished === undefined) outlet.broken();
        else finished(isComplete);
      },
    });
    return {
      head: (changes) => {
        const rewritten = rewriteResponseHead(head, { ...changes, reframe }) as Buffer;
        return needles.replaceIn(rewritten);
      },
      payload: (bytes, start, end) => body.push(bytes.subarray(start, end)),
      finish(receivedTrailers, done) {
        trailers = withoutLines(receivedTrailers, without);
        finished = done;
        body.finish();
      },
      resume: () => body.resume(),
      abort: () => body.abort(),
    };
  }
}

/** If Content-Type is given twice, one textual value is enough: clients differ in which they use. */
function isTextualBody({ bytes, marks }: ResponseHead): boolean {
  let isTyped = false;
  for (let mark = 0; mark < marks.length; mark += stride) {
    if (marks[mark + 4] !== Field.contentType) continue;
    isTyped = true;
    if (isTextualAt(bytes, marks[mark + 2] as number, marks[mark + 3] as number)) return true;
  }
  return !isTyped;
}

/** Whether a charset that is named needs a closer look. */
function mayHideItsText({ bytes, marks }: ResponseHead): boolean {
  for (let mark = 0; mark < marks.length; mark += stride) {
    if (marks[mark + 4] !== Field.contentType) continue;
    if (mayHideText(bytes, marks[mark + 2] as number, marks[mark + 3] as number)) return true;
  }
  return false;
}

function isCoded({ marks }: ResponseHead): boolean {
  for (let mark = 4; mark < marks.length; mark += stride) {
    if (marks[mark] === Field.contentEncoding) return true;
  }
  return false;
}

/**
 * Whether all of the body came with its head and contains no needle, so that it can pass unchanged. The bytes of a body
 * that `isComplete` by its length are known to contain none.
 */
function isClean(
  needles: Needles,
  codings: readonly Coding[],
  { bytes, end, framing }: ResponseHead,
  isComplete: boolean,
): boolean {
  if (framing.kind === 'length') {
    if (!isComplete || codings.length === 0) return isComplete;
    return isCleanDecoded(needles, codings, bytes.subarray(end, end + framing.length));
  }
  if (framing.kind !== 'chunked') return false;
  const body = new Body(framing);
  const pieces: Buffer[] = [];
  let isUnfinished = false;
  let isCut = false;
  body.take(bytes, end, bytes.length, (_, from, to) => {
    isCut ||= isUnfinished;
    isUnfinished = needles.unfinishedIn(bytes, from, to) < to;
    if (codings.length > 0) pieces.push(bytes.subarray(from, to));
  });
  if (isCut || !body.done || needles.indexIn(bytes, end, bytes.length) !== -1) return false;
  return codings.length === 0 || isCleanDecoded(needles, codings, Buffer.concat(pieces));
}

function isCleanDecoded(needles: Needles, codings: readonly Coding[], payload: Buffer): boolean {
  const decoded = decodedAtOnce(codings, payload);
  return decoded !== undefined && needles.indexIn(decoded, 0, decoded.length) === -1;
}
