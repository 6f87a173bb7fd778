import { ZERO } from './bytes.ts';
import { Fault } from './fault.ts';
import { Field, type FieldBlock, stride, tokenList, valueAt } from './fields.ts';

/** How a body ends (RFC 9112 §6). */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export const noBody: Framing = { kind: 'none' };
export const chunkedBody: Framing = { kind: 'chunked' };
export const closeDelimited: Framing = { kind: 'close' };

/** What a head declares about framing and its connection, in requests and responses alike. */
export interface Declared {
  readonly length: number | undefined;
  readonly chunked: boolean;
  /** Lower-case options of every `Connection` line. */
  readonly connection: readonly string[];
  readonly host: string | undefined;
  readonly upgrade: string | undefined;
  readonly expectsContinue: boolean;
  readonly acceptsTrailers: boolean;
  /** The methods that method-override headers ask for, as a list. */
  readonly methodOverride: string | undefined;
  /** The path that a path-override header asks for; several of them joined by commas. */
  readonly pathOverride: string | undefined;
}

const twoLengths = new Fault('Content-Length is given more than once (RFC 9112 §6.3)');
const invalidLength = new Fault('Content-Length is not a decimal number (RFC 9112 §6.2)');
const lengthAndChunked = new Fault('Content-Length and Transfer-Encoding are both given (RFC 9112 §6.1)');
const unknownCoding = new Fault('Transfer-Encoding is not exactly "chunked" (RFC 9112 §6.1)');
const chunkedBefore11 = new Fault('an HTTP/1.0 message declares Transfer-Encoding (RFC 9112 §6.1)');
const twoHosts = new Fault('Host is given more than once (RFC 9112 §3.2)');
const invalidConnection = new Fault('Connection is not a list of tokens (RFC 9110 §7.6.1)');
const nominated = new Fault('Connection names a field that frames or routes the message (RFC 9110 §7.6.1)');

const endToEnd = new Set(['content-length', 'transfer-encoding', 'host', 'content-type', 'content-encoding']);
const noOptions: readonly string[] = [];

const maxLengthDigits = 16;

/** The value of the field line at `mark` as a number; `undefined` if it is not plain digits. */
function decimalAt({ bytes, marks }: FieldBlock, mark: number): number | undefined {
  const start = marks[mark + 2] as number;
  const end = marks[mark + 3] as number;
  if (end === start || end - start > maxLengthDigits) return undefined;
  let number = 0;
  for (let position = start; position < end; position += 1) {
    const digit = (bytes[position] as number) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : undefined;
}

/** The framing and connection fields of one head, or the fault in them. */
export function readDeclared(block: FieldBlock, minor: number): Declared | Fault {
  let length: number | undefined;
  let chunked = false;
  let connection = noOptions;
  let host: string | undefined;
  let upgrade: string | undefined;
  let expectsContinue = false;
  let acceptsTrailers = false;
  let methodOverride: string | undefined;
  let pathOverride: string | undefined;
  const { marks } = block;
  for (let mark = 0; mark < marks.length; mark += stride) {
    switch (marks[mark + 4]) {
      case Field.other:
        break;
      case Field.host:
        if (host !== undefined) return twoHosts;
        host = valueAt(block, mark);
        break;
      case Field.contentLength: {
        if (length !== undefined) return twoLengths;
        length = decimalAt(block, mark);
        if (length === undefined) return invalidLength;
        break;
      }
      case Field.transferEncoding:
        if (minor === 0) return chunkedBefore11;
        if (chunked || valueAt(block, mark).toLowerCase() !== 'chunked') return unknownCoding;
        chunked = true;
        break;
      case Field.connection: {
        const options = tokenList(valueAt(block, mark));
        if (options === undefined) return invalidConnection;
        if (options.some((option) => endToEnd.has(option))) return nominated;
        connection = connection.length === 0 ? options : [...connection, ...options];
        break;
      }
      case Field.upgrade: {
        const value = valueAt(block, mark);
        upgrade = upgrade === undefined ? value : `${upgrade}, ${value}`;
        break;
      }
      case Field.methodOverride: {
        const value = valueAt(block, mark);
        methodOverride = methodOverride === undefined ? value : `${methodOverride}, ${value}`;
        break;
      }
      case Field.pathOverride: {
        const value = valueAt(block, mark);
        pathOverride = pathOverride === undefined ? value : `${pathOverride}, ${value}`;
        break;
      }
      case Field.expect:
        if (valueAt(block, mark).toLowerCase() === '100-continue') expectsContinue = true;
        break;
      case Field.te:
        if (/(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(valueAt(block, mark))) acceptsTrailers = true;
        break;
      default:
        break;
    }
  }
  if (chunked && length !== undefined) return lengthAndChunked;
  return {
    length,
    chunked,
    connection,
    host,
    upgrade,
    expectsContinue,
    acceptsTrailers,
    methodOverride,
    pathOverride,
  };
}
