import { CR, LF, SPACE, spells, targetByte, tokenByte } from './bytes.ts';
import { Fault } from './fault.ts';
import { Field, type FieldBlock, incomplete, limits, lineFaults, scanFields, stride } from './fields.ts';
import { chunkedBody, type Framing, noBody, readDeclared } from './message.ts';

/** One request head in its buffer. It is parsed in place, once. */
export interface RequestHead extends FieldBlock {
  readonly start: number;
  /** Position after the empty line. */
  readonly end: number;
  readonly method: string;
  readonly target: string;
  readonly targetStart: number;
  readonly minor: 0 | 1;
  readonly host: string | undefined;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly connection: readonly string[];
  /** The protocol that `Connection: upgrade` asks for, if any; never `h2c`. */
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  readonly acceptsTrailers: boolean;
  /** The methods that method-override headers ask for, as a list. */
  readonly methodOverride: string | undefined;
  /** The path that a path-override header asks for. */
  readonly pathOverride: string | undefined;
}

const invalidMethod = new Fault('the method contains an invalid character (RFC 9110 §9.1)');
const invalidTarget = new Fault(
  'the request target is empty, or contains a character that has to be percent-encoded (RFC 9112 §3.2)',
);
const invalidVersion = new Fault('the request line does not end in HTTP/1.1 or HTTP/1.0 (RFC 9112 §3)');
const hostMissing = new Fault('an HTTP/1.1 request has no Host (RFC 9112 §3.2)');
const headTooLarge = new Fault(`the request head is larger than ${limits.headBytes} bytes`, true);
const methodTooLong = new Fault('the method is longer than 32 bytes');

const maxMethodBytes = 32;
const versionBytes = 'HTTP/1.1'.length;

function methodAt(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 0x47 && bytes[start + 1] === 0x45 && bytes[start + 2] === 0x54) {
    return 'GET';
  }
  return bytes.toString('latin1', start, end);
}

/**
 * The request head at `start`; `undefined` while incomplete; or the fault in it. As strict as RFC 9112 allows: a head
 * that two servers could read in two ways is refused.
 */
export function parseRequestHead(bytes: Buffer, start: number, end: number): RequestHead | Fault | undefined {
  const limit = Math.min(end, start + limits.headBytes);
  const starved = limit < end ? headTooLarge : undefined;
  let position = start;
  // RFC 9112 §2.2 asks servers to tolerate one empty line before a request.
  if (bytes[position] === CR) {
    if (position + 1 >= limit) return starved;
    if (bytes[position + 1] !== LF) return lineFaults.bareCarriageReturn;
    position += 2;
    if (position >= limit) return starved;
  }
  const headStart = position;
  while (position < limit && tokenByte[bytes[position] as number] === 1) position += 1;
  if (position - headStart > maxMethodBytes) return methodTooLong;
  if (position >= limit) return starved;
  if (bytes[position] !== SPACE || position === headStart) return invalidMethod;
  const methodEnd = position;
  position += 1;
  const targetStart = position;
  while (position < limit && targetByte[bytes[position] as number] === 1) position += 1;
  if (position >= limit) return starved;
  const targetEnd = position;
  if (targetEnd === targetStart) return invalidTarget;
  if (bytes[position] !== SPACE) {
    const byte = bytes[position];
    return byte === CR || byte === LF ? invalidVersion : invalidTarget;
  }
  position += 1;
  const versionEnd = position + versionBytes;
  for (let index = 0; index < versionBytes - 1 && position + index < limit; index += 1) {
    if (bytes[position + index] !== 'HTTP/1.'.charCodeAt(index)) return invalidVersion;
  }
  if (versionEnd + 1 >= limit) {
    if (limit > versionEnd && bytes[versionEnd] !== CR) return invalidVersion;
    return starved;
  }
  const digit = bytes[versionEnd - 1];
  if (digit !== 0x31 && digit !== 0x30) return invalidVersion;
  const minor = digit === 0x31 ? 1 : 0;
  if (bytes[versionEnd] !== CR) return bytes[versionEnd] === LF ? lineFaults.bareLineFeed : invalidVersion;
  if (bytes[versionEnd + 1] !== LF) return lineFaults.bareCarriageReturn;

  const marks: number[] = [];
  const headEnd = scanFields(bytes, versionEnd + 2, limit, marks);
  if (typeof headEnd !== 'number') return headEnd;
  if (headEnd === incomplete) return starved;
  const block = { bytes, marks, fieldsEnd: headEnd - 2 };
  const declared = readDeclared(block, minor);
  if (declared instanceof Fault) return declared;
  if (declared.host === undefined && minor === 1) return hostMissing;
  const upgrades =
    declared.upgrade !== undefined && declared.connection.includes('upgrade') && minor === 1
      ? declared.upgrade
      : undefined;
  return {
    bytes,
    marks,
    fieldsEnd: block.fieldsEnd,
    start: headStart,
    end: headEnd,
    method: methodAt(bytes, headStart, methodEnd),
    target: bytes.toString('latin1', targetStart, targetEnd),
    targetStart,
    minor,
    host: declared.host,
    framing: requestFraming(declared.chunked, declared.length),
    keepAlive: minor === 1 && !declared.connection.includes('close'),
    connection: declared.connection,
    upgrade: upgrades === undefined || /(?:^|,)[ \t]*h2c\b/i.test(upgrades) ? undefined : upgrades,
    expectsContinue: declared.expectsContinue && minor === 1,
    acceptsTrailers: declared.acceptsTrailers,
    methodOverride: declared.methodOverride,
    pathOverride: declared.pathOverride,
  };
}

/** The head with another Content-Length, which it must have. It is read again, since every later field moves. */
export function withContentLength(head: RequestHead, length: number): RequestHead {
  const { bytes, marks, start, end } = head;
  let mark = 0;
  while (mark < marks.length && marks[mark + 4] !== Field.contentLength) mark += stride;
  const digits = Buffer.from(String(length));
  const rewritten = Buffer.concat([
    bytes.subarray(start, marks[mark + 2]),
    digits,
    bytes.subarray(marks[mark + 3], end),
  ]);
  const read = parseRequestHead(rewritten, 0, rewritten.length);
  if (read === undefined || read instanceof Fault) throw new TypeError('the head has no Content-Length');
  return { ...read, connection: head.connection };
}

/** RFC 9112 §6.3: without Content-Length or Transfer-Encoding a request has no body. */
function requestFraming(chunked: boolean, length: number | undefined): Framing {
  if (chunked) return chunkedBody;
  return length === undefined || length === 0 ? noBody : { kind: 'length', length };
}

/** Whether bytes can still become a request: tells plain HTTP from garbage. */
export function looksLikeRequest(bytes: Buffer): boolean {
  const space = bytes.indexOf(SPACE);
  const end = space === -1 ? bytes.length : space;
  if (end === 0 || end > maxMethodBytes) return false;
  for (let index = 0; index < end; index += 1) if (tokenByte[bytes[index] as number] !== 1) return false;
  return !spells(bytes, 0, end, 'pri');
}
