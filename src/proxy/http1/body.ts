import { COLON, CR, hexValue, LF, SPACE, TAB, tokenByte, valueByte } from './bytes.ts';
import { Fault } from './fault.ts';
import { isMethodOverride, isPathOverride } from './fields.ts';
import type { Framing } from './message.ts';

const invalidSize = new Fault('a chunk size is not a plain hexadecimal number (RFC 9112 §7.1)');
const sizeTooLarge = new Fault('a chunk size is too large');
const invalidExtension = new Fault('a chunk extension is malformed (RFC 9112 §7.1.1)');
const extensionsTooLarge = new Fault('the chunk extensions of one body are larger than 16384 bytes', true);
const chunkNotEnded = new Fault('a chunk does not end in CRLF (RFC 9112 §7.1)');
const bareEnd = new Fault('a line of the chunked body does not end in CRLF (RFC 9112 §7.1)');
const invalidTrailer = new Fault('a trailer field is malformed (RFC 9112 §7.1.2)');
const forbiddenTrailer = new Fault(
  'a trailer field frames, routes or authorizes the message (RFC 9110 §6.5.1)',
);
const trailersTooLarge = new Fault('the trailer section is larger than 16384 bytes', true);

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const maxSizeDigits = 16;
const maxExtensionBytes = 16 * 1024;
const maxTrailerBytes = 16 * 1024;

const forbiddenTrailers = new Set([
  'transfer-encoding',
  'content-length',
  'host',
  'connection',
  'trailer',
  'te',
  'upgrade',
  'expect',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'content-encoding',
  'content-type',
  'content-range',
]);

const State = {
  size: 0,
  extensionNameStart: 1,
  sizeLineFeed: 2,
  data: 3,
  dataReturn: 4,
  dataLineFeed: 5,
  trailerStart: 6,
  trailerName: 7,
  trailerValue: 8,
  trailerLineFeed: 9,
  lastLineFeed: 10,
  extensionName: 11,
  extensionValueStart: 12,
  extensionToken: 13,
  extensionQuoted: 14,
  extensionEscape: 15,
  extensionQuotedEnd: 16,
} as const;

/**
 * Whether a field with this name, in lower case, is forbidden in trailers: also one that asks for a different method or
 * path, since a trailer comes after the decision.
 */
export function isForbiddenTrailer(name: string): boolean {
  return forbiddenTrailers.has(name) || isMethodOverride(name) || isPathOverride(name);
}

/** Receives the position of each piece of payload in a body. */
export type PayloadListener = (bytes: Buffer, start: number, end: number) => void;

/** Finds the end of one message body in passing. The bytes themselves pass unchanged. */
export class Body {
  done: boolean;
  fault: Fault | undefined;
  /** The trailer lines so far, unchanged. */
  trailers = '';
  /** The body ends with its connection. */
  readonly untilClose: boolean;
  readonly #chunked: boolean;
  #remaining: number;
  #state: number = State.size;
  #sizeDigits = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #trailerName = '';

  constructor(framing: Framing) {
    this.done = framing.kind === 'none';
    this.untilClose = framing.kind === 'close';
    this.#chunked = framing.kind === 'chunked';
    this.#remaining = framing.kind === 'length' ? framing.length : 0;
  }

  /** Returns the position up to which `bytes` belong to this body. Then check `done` and `fault`. */
  take(bytes: Buffer, start: number, end: number, onPayload?: PayloadListener): number {
    if (this.done) return start;
    if (this.#chunked) return this.#takeChunked(bytes, start, end, onPayload);
    const available = end - start;
    if (this.untilClose || available < this.#remaining) {
      this.#remaining -= available;
      onPayload?.(bytes, start, end);
      return end;
    }
    const position = start + this.#remaining;
    this.#remaining = 0;
    this.done = true;
    onPayload?.(bytes, start, position);
    return position;
  }

  #takeChunked(bytes: Buffer, start: number, end: number, onPayload: PayloadListener | undefined): number {
    let position = start;
    while (position < end) {
      if (this.#state === State.data) {
        const stop = Math.min(end, position + this.#remaining);
        onPayload?.(bytes, position, stop);
        this.#remaining -= stop - position;
        position = stop;
        if (this.#remaining === 0) this.#state = State.dataReturn;
        continue;
      }
      const fault = this.#step(bytes[position] as number);
      if (fault !== undefined) {
        this.fault = fault;
        return position;
      }
      position += 1;
      if (this.done) return position;
    }
    return position;
  }

  #step(byte: number): Fault | undefined {
    switch (this.#state) {
      case State.size: {
        const value = hexValue[byte] as number;
        if (value !== 255) {
          this.#sizeDigits += 1;
          this.#remaining = this.#remaining * 16 + value;
          if (this.#sizeDigits > maxSizeDigits || !Number.isSafeInteger(this.#remaining)) return sizeTooLarge;
          return undefined;
        }
        if (this.#sizeDigits === 0) return invalidSize;
        if (byte === CR) this.#state = State.sizeLineFeed;
        else if (byte === SEMICOLON) this.#state = State.extensionNameStart;
        else return invalidSize;
        return undefined;
      }
      case State.sizeLineFeed:
        if (byte !== LF) return bareEnd;
        this.#state = this.#remaining === 0 ? State.trailerStart : State.data;
        this.#sizeDigits = 0;
        return undefined;
      case State.dataReturn:
        if (byte !== CR) return chunkNotEnded;
        this.#state = State.dataLineFeed;
        return undefined;
      case State.dataLineFeed:
        if (byte !== LF) return chunkNotEnded;
        this.#state = State.size;
        return undefined;
      case State.lastLineFeed:
        if (byte !== LF) return bareEnd;
        this.done = true;
        return undefined;
      case State.trailerStart:
      case State.trailerName:
      case State.trailerValue:
      case State.trailerLineFeed:
        return this.#stepTrailer(byte);
      default:
        return this.#stepExtension(byte);
    }
  }

  /** `;name`, `;name=token` or `;name="quoted"`, without the whitespace that RFC 9112 calls bad. */
  #stepExtension(byte: number): Fault | undefined {
    this.#extensionBytes += 1;
    if (this.#extensionBytes > maxExtensionBytes) return extensionsTooLarge;
    switch (this.#state) {
      case State.extensionNameStart:
        if (tokenByte[byte] !== 1) return invalidExtension;
        this.#state = State.extensionName;
        return undefined;
      case State.extensionName:
        if (tokenByte[byte] === 1) return undefined;
        if (byte === EQUALS) this.#state = State.extensionValueStart;
        else return this.#afterExtension(byte);
        return undefined;
      case State.extensionValueStart:
        if (byte === QUOTE) this.#state = State.extensionQuoted;
        else if (tokenByte[byte] === 1) this.#state = State.extensionToken;
        else return invalidExtension;
        return undefined;
      case State.extensionToken:
        return tokenByte[byte] === 1 ? undefined : this.#afterExtension(byte);
      case State.extensionQuoted:
        if (byte === QUOTE) this.#state = State.extensionQuotedEnd;
        else if (byte === BACKSLASH) this.#state = State.extensionEscape;
        else if (valueByte[byte] !== 1) return invalidExtension;
        return undefined;
      case State.extensionEscape:
        if (valueByte[byte] !== 1) return invalidExtension;
        this.#state = State.extensionQuoted;
        return undefined;
      default:
        return this.#afterExtension(byte);
    }
  }

  #afterExtension(byte: number): Fault | undefined {
    if (byte === CR) this.#state = State.sizeLineFeed;
    else if (byte === SEMICOLON) this.#state = State.extensionNameStart;
    else return invalidExtension;
    return undefined;
  }

  #stepTrailer(byte: number): Fault | undefined {
    this.#trailerBytes += 1;
    if (byte !== CR || this.#state !== State.trailerStart) this.trailers += String.fromCharCode(byte);
    if (this.#trailerBytes > maxTrailerBytes) return trailersTooLarge;
    switch (this.#state) {
      case State.trailerStart:
        if (byte === CR) {
          this.#state = State.lastLineFeed;
          return undefined;
        }
        if (tokenByte[byte] !== 1) return invalidTrailer;
        this.#trailerName = String.fromCharCode(byte);
        this.#state = State.trailerName;
        return undefined;
      case State.trailerName:
        if (byte === COLON) {
          if (isForbiddenTrailer(this.#trailerName.toLowerCase())) return forbiddenTrailer;
          this.#state = State.trailerValue;
          return undefined;
        }
        if (tokenByte[byte] !== 1) return invalidTrailer;
        this.#trailerName += String.fromCharCode(byte);
        return undefined;
      case State.trailerValue:
        if (byte === CR) this.#state = State.trailerLineFeed;
        else if (valueByte[byte] !== 1 && byte !== SPACE && byte !== TAB) return invalidTrailer;
        return undefined;
      default:
        if (byte !== LF) return bareEnd;
        this.#state = State.trailerStart;
        return undefined;
    }
  }
}
