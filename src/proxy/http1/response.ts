import { CR, LF, SPACE, spells, valueByte } from './bytes.ts';
import { Fault } from './fault.ts';
import {
  Field,
  type FieldBlock,
  incomplete,
  limits,
  lineEndAt,
  lineFaults,
  scanFields,
  stride,
  valueAt,
} from './fields.ts';
import { hopByHopInResponse } from './hop-by-hop.ts';
import { chunkedBody, closeDelimited, type Framing, noBody, readDeclared } from './message.ts';

/** One response head in its buffer. */
export interface ResponseHead extends FieldBlock {
  readonly start: number;
  readonly end: number;
  readonly status: number;
  readonly minor: 0 | 1;
  readonly framing: Framing;
  /** Whether the upstream connection can be used again after the body. */
  readonly keepAlive: boolean;
  readonly connection: readonly string[];
}

const invalidStatusLine = new Fault('the status line is malformed (RFC 9112 §4)');
const headTooLarge = new Fault(`the response head is larger than ${limits.headBytes} bytes`, true);

const digit = (byte: number | undefined): number =>
  byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : -1;

/** The response head at `start` to a request with this method; `undefined` while incomplete; or the fault in it. */
export function parseResponseHead(
  bytes: Buffer,
  start: number,
  end: number,
  method: string,
): ResponseHead | Fault | undefined {
  const limit = Math.min(end, start + limits.headBytes);
  const starved = limit < end ? headTooLarge : undefined;
  for (let index = 0; index < 7 && start + index < limit; index += 1) {
    if (bytes[start + index] !== 'HTTP/1.'.charCodeAt(index)) return invalidStatusLine;
  }
  if (start + 12 >= limit) return starved;
  const minorByte = bytes[start + 7];
  if (minorByte !== 0x31 && minorByte !== 0x30) return invalidStatusLine;
  const hundreds = digit(bytes[start + 9]);
  const tens = digit(bytes[start + 10]);
  const ones = digit(bytes[start + 11]);
  if (bytes[start + 8] !== SPACE || hundreds < 1 || tens < 0 || ones < 0) return invalidStatusLine;
  const status = hundreds * 100 + tens * 10 + ones;
  let position = start + 12;
  // Some servers omit the space before an empty reason phrase, and every client accepts that.
  if (bytes[position] !== SPACE && bytes[position] !== CR) return invalidStatusLine;
  while (position < limit && valueByte[bytes[position] as number] === 1) position += 1;
  if (position + 1 >= limit) return starved;
  if (bytes[position] !== CR) {
    return bytes[position] === LF ? lineFaults.bareLineFeed : invalidStatusLine;
  }
  if (bytes[position + 1] !== LF) return lineFaults.bareCarriageReturn;

  const marks: number[] = [];
  const headEnd = scanFields(bytes, position + 2, limit, marks);
  if (typeof headEnd !== 'number') return headEnd;
  if (headEnd === incomplete) return starved;
  const minor = minorByte === 0x31 ? 1 : 0;
  const block = { bytes, marks, fieldsEnd: headEnd - 2 };
  const declared = readDeclared(block, minor);
  if (declared instanceof Fault) return declared;
  const framing = responseFraming(status, method, declared.chunked, declared.length);
  return {
    bytes,
    marks,
    fieldsEnd: block.fieldsEnd,
    start,
    end: headEnd,
    status,
    minor,
    framing,
    keepAlive: minor === 1 && framing.kind !== 'close' && !declared.connection.includes('close'),
    connection: declared.connection,
  };
}

/** RFC 9112 §6.3, in its order. */
function responseFraming(
  status: number,
  method: string,
  chunked: boolean,
  length: number | undefined,
): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return noBody;
  if (chunked) return chunkedBody;
  if (length === undefined) return closeDelimited;
  return length === 0 ? noBody : { kind: 'length', length };
}

/**
 * How long the upstream keeps this connection open for another request, in milliseconds, if it says so (the `timeout` of
 * `Keep-Alive`, RFC 2068 §19.7.1.1).
 */
export function idleMsOf(head: ResponseHead): number | undefined {
  for (let mark = 0; mark < head.marks.length; mark += stride) {
    if (head.marks[mark + 4] !== Field.keepAlive) continue;
    const seconds = /(?:^|[,\s])timeout=(\d{1,6})(?:$|[,\s])/i.exec(valueAt(head, mark))?.[1];
    if (seconds !== undefined) return Number(seconds) * 1000;
  }
  return undefined;
}

export interface ResponseChanges {
  /** This is the last response on the client's connection. */
  readonly close: boolean;
  /** One extra field line with its CRLF. */
  readonly extraLine: string | undefined;
  /** The body is framed again: in chunks, or until the connection closes. `decoded` removes its content coding. */
  readonly reframe?: {
    readonly chunked: boolean;
    readonly decoded: boolean;
    /** Fields that no longer apply to it, in lower case. */
    readonly without: readonly string[];
  };
}

const switchingLines = 'Connection: Upgrade\r\n';
const closeLine = 'Connection: close\r\n';
const upgradeRequired = 426;

/**
 * The head for the client, without hop-by-hop fields (RFC 9110 §7.6.1), with our own HTTP version and these changes;
 * `undefined` if its bytes can pass unchanged.
 */
export function rewriteResponseHead(head: ResponseHead, changes: ResponseChanges): Buffer | undefined {
  const switching = head.status === 101;
  const keepsUpgrade = switching || head.status === upgradeRequired;
  let extra = changes.extraLine ?? '';
  if (keepsUpgrade) extra += switchingLines;
  else if (changes.close) extra += closeLine;
  if (changes.reframe?.chunked === true) extra += 'Transfer-Encoding: chunked\r\n';
  let dropped = false;
  const kept: number[] = [];
  let keptFrom = head.start;
  for (let mark = 0; mark < head.marks.length; mark += stride) {
    if (!isHopByHop(head, mark, keepsUpgrade) && !isReframed(head, mark, changes.reframe)) continue;
    dropped = true;
    const lineStart = head.marks[mark] as number;
    if (lineStart > keptFrom) kept.push(keptFrom, lineStart);
    keptFrom = lineEndAt(head, mark);
  }
  if (!dropped && extra === '' && head.minor === 1 && changes.reframe === undefined) return undefined;
  kept.push(keptFrom, head.fieldsEnd);
  return assemble(head, kept, extra);
}

function isReframed(head: ResponseHead, mark: number, reframe: ResponseChanges['reframe']): boolean {
  if (reframe === undefined) return false;
  const kind = head.marks[mark + 4];
  if (kind === Field.contentLength || kind === Field.transferEncoding) return true;
  if (kind === Field.contentEncoding) return reframe.decoded;
  if (kind !== Field.other) return false;
  const [start, end] = [head.marks[mark] as number, head.marks[mark + 1] as number];
  return reframe.without.some((name) => spells(head.bytes, start, end, name));
}

function isHopByHop(head: ResponseHead, mark: number, keepsUpgrade: boolean): boolean {
  const kind = head.marks[mark + 4] as number;
  if (hopByHopInResponse[kind] === 1) return true;
  switch (kind) {
    // An agent may act on our own fields, so an upstream must not set them.
    case Field.authsome:
      return true;
    case Field.upgrade:
      return !keepsUpgrade;
    case Field.other: {
      if (head.connection.length === 0) return false;
      const name = head.bytes.toString('latin1', head.marks[mark], head.marks[mark + 1]);
      return head.connection.includes(name.toLowerCase());
    }
    default:
      return false;
  }
}

function assemble(head: ResponseHead, kept: readonly number[], extra: string): Buffer {
  let size = extra.length + 2;
  for (let index = 0; index < kept.length; index += 2) {
    size += (kept[index + 1] as number) - (kept[index] as number);
  }
  const out = Buffer.allocUnsafe(size);
  let position = 0;
  for (let index = 0; index < kept.length; index += 2) {
    position += head.bytes.copy(out, position, kept[index] as number, kept[index + 1] as number);
  }
  position += out.write(extra, position, 'latin1');
  out[position] = CR;
  out[position + 1] = LF;
  if (head.minor === 0) out[7] = 0x31;
  return out;
}
