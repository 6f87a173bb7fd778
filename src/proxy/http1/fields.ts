import { COLON, CR, LF, SPACE, spells, TAB, tokenByte, valueByte } from './bytes.ts';
import { Fault } from './fault.ts';

/** The fields that framing, routing and forwarding read. All others are `other`. */
export const Field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  proxyAuthorization: 7,
  proxyAuthenticate: 8,
  te: 9,
  upgrade: 10,
  expect: 11,
  http2Settings: 12,
  contentType: 13,
  contentEncoding: 14,
  acceptEncoding: 15,
  /** authsome's own: `Authsome-Decision`, `Authsome-Hint`. */
  authsome: 16,
  /** Asks some servers for a different method than the request line's. */
  methodOverride: 17,
  /** Asks some servers for a different path than the request line's. */
  pathOverride: 18,
} as const;

/** The numbers for each field line: line start, name end, value start, value end, kind. */
export const stride = 5;

export const limits = { headBytes: 64 * 1024, fieldCount: 256 } as const;

/** The positions of one head's field lines in its buffer. Nothing is copied. */
export interface FieldBlock {
  readonly bytes: Buffer;
  /** `stride` numbers for each line. */
  readonly marks: readonly number[];
  /** Position of the empty line that ends the head. */
  readonly fieldsEnd: number;
}

export const incomplete = -1;

const bareLineFeed = new Fault('a line ends in LF without CR (RFC 9112 §2.2)');
const bareCarriageReturn = new Fault('a CR is not followed by LF (RFC 9112 §2.2)');
const folded = new Fault('a field line begins with whitespace (obs-fold, RFC 9112 §5.2)');
const spaceBeforeColon = new Fault('there is whitespace before the colon of a field name (RFC 9112 §5.1)');
const invalidName = new Fault('a field name contains an invalid character (RFC 9110 §5.1)');
const invalidValue = new Fault('a field value contains a control character (RFC 9110 §5.5)');
const tooManyFields = new Fault(`there are more than ${limits.fieldCount} field lines`, true);

export const lineFaults = { bareLineFeed, bareCarriageReturn } as const;

function kindOf(bytes: Buffer, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return spells(bytes, start, end, 'te') ? Field.te : Field.other;
    case 4:
      return spells(bytes, start, end, 'host') ? Field.host : Field.other;
    case 6:
      return spells(bytes, start, end, 'expect') ? Field.expect : Field.other;
    case 7:
      return spells(bytes, start, end, 'upgrade') ? Field.upgrade : Field.other;
    case 10:
      if (spells(bytes, start, end, 'connection')) return Field.connection;
      return spells(bytes, start, end, 'keep-alive') ? Field.keepAlive : Field.other;
    case 12:
      return spells(bytes, start, end, 'content-type') ? Field.contentType : Field.other;
    case 13:
      if (spells(bytes, start, end, 'authsome-hint')) return Field.authsome;
      return overrideOf(bytes, start, end);
    case 14:
      if (spells(bytes, start, end, 'content-length')) return Field.contentLength;
      return spells(bytes, start, end, 'http2-settings')
        ? Field.http2Settings
        : overrideOf(bytes, start, end);
    case 15:
      return spells(bytes, start, end, 'accept-encoding') ? Field.acceptEncoding : Field.other;
    case 16:
      if (spells(bytes, start, end, 'content-encoding')) return Field.contentEncoding;
      return spells(bytes, start, end, 'proxy-connection') ? Field.proxyConnection : Field.other;
    case 17:
      if (spells(bytes, start, end, 'authsome-decision')) return Field.authsome;
      return spells(bytes, start, end, 'transfer-encoding')
        ? Field.transferEncoding
        : overrideOf(bytes, start, end);
    case 18:
      return spells(bytes, start, end, 'proxy-authenticate') ? Field.proxyAuthenticate : Field.other;
    case 19:
      return spells(bytes, start, end, 'proxy-authorization') ? Field.proxyAuthorization : Field.other;
    case 22:
      return overrideOf(bytes, start, end);
    default:
      return Field.other;
  }
}

const methodOverrides = new Set(['x-http-method', 'x-method-override', 'x-http-method-override']);
const pathOverrides = new Set(['x-original-url', 'x-rewrite-url']);

/** CGI does not distinguish `-` from `_`. */
const withHyphens = (name: string): string => name.replaceAll('_', '-');

/** Whether a server may read this field name, in lower case, as a method-override header. */
export function isMethodOverride(name: string): boolean {
  return methodOverrides.has(withHyphens(name));
}

/** The same for a header that names a different path: IIS and some frameworks obey them. */
export function isPathOverride(name: string): boolean {
  return pathOverrides.has(withHyphens(name));
}

function overrideOf(bytes: Buffer, start: number, end: number): number {
  if (((bytes[start] as number) | 0x20) !== 0x78) return Field.other;
  const name = bytes.toString('latin1', start, end).toLowerCase();
  if (isMethodOverride(name)) return Field.methodOverride;
  return isPathOverride(name) ? Field.pathOverride : Field.other;
}

/**
 * Appends the marks of the field lines at `start` to `marks`. Returns the position after the empty line that ends them,
 * or `incomplete` while that line is missing. One pass checks every byte (RFC 9112 §5).
 */
export function scanFields(bytes: Buffer, start: number, end: number, marks: number[]): number | Fault {
  let position = start;
  let count = 0;
  for (;;) {
    if (position >= end) return incomplete;
    const lineStart = position;
    let byte = bytes[position] as number;
    if (byte === CR) {
      if (position + 1 >= end) return incomplete;
      return bytes[position + 1] === LF ? position + 2 : bareCarriageReturn;
    }
    if (byte === SPACE || byte === TAB) return folded;
    while (tokenByte[byte] === 1) {
      position += 1;
      if (position >= end) return incomplete;
      byte = bytes[position] as number;
    }
    if (byte !== COLON || position === lineStart) {
      if (byte === LF) return bareLineFeed;
      return byte === SPACE || byte === TAB ? spaceBeforeColon : invalidName;
    }
    const nameEnd = position;
    do {
      position += 1;
      if (position >= end) return incomplete;
      byte = bytes[position] as number;
    } while (byte === SPACE || byte === TAB);
    const valueStart = position;
    while (valueByte[byte] === 1) {
      position += 1;
      if (position >= end) return incomplete;
      byte = bytes[position] as number;
    }
    if (byte !== CR) return byte === LF ? bareLineFeed : invalidValue;
    if (position + 1 >= end) return incomplete;
    if (bytes[position + 1] !== LF) return bareCarriageReturn;
    let valueEnd = position;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB))
      valueEnd -= 1;
    position += 2;
    count += 1;
    if (count > limits.fieldCount) return tooManyFields;
    marks.push(lineStart, nameEnd, valueStart, valueEnd, kindOf(bytes, lineStart, nameEnd));
  }
}

/** The value of the field line at `mark`. */
export function valueAt(block: FieldBlock, mark: number): string {
  return block.bytes.toString('latin1', block.marks[mark + 2], block.marks[mark + 3]);
}

/** The value of the field with this name in lower case; several lines are joined by commas (RFC 9110 §5.3). */
export function joinedValue(block: FieldBlock, name: string): string | undefined {
  let value: string | undefined;
  for (let mark = 0; mark < block.marks.length; mark += stride) {
    const start = block.marks[mark] as number;
    const end = block.marks[mark + 1] as number;
    if (!spells(block.bytes, start, end, name)) continue;
    value = value === undefined ? valueAt(block, mark) : `${value}, ${valueAt(block, mark)}`;
  }
  return value;
}

/** Where the field line at `mark` ends, its CRLF included. */
export function lineEndAt(block: FieldBlock, mark: number): number {
  return mark + stride < block.marks.length ? (block.marks[mark + stride] as number) : block.fieldsEnd;
}

/** The lower-case tokens of a comma-separated list (RFC 9110 §5.6.1); `undefined` if it is not one. */
export function tokenList(value: string): readonly string[] | undefined {
  const tokens: string[] = [];
  for (const part of value.split(',')) {
    const token = part.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
    if (token === '') continue;
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(token)) return undefined;
    tokens.push(token);
  }
  return tokens;
}
