import {
  type Fields,
  Flag,
  type Frame,
  preface,
  Type,
} from '../../../src/proxy/testing/test-http2-frames.ts';
import { BlockReader } from './hpack.ts';

/** One request or answer as RFC 9113 reads it, by other code than the product's. */
export interface Message {
  readonly stream: number;
  /** Without fields that no HTTP may contain, which nghttp2 leaves out. */
  readonly head: Fields;
  body: Buffer;
  trailers: Fields;
  /** All of it is there, and nothing of it is malformed. */
  whole: boolean;
  /** Its stream is in error, or was reset: what comes on it later belongs to nothing. */
  over: boolean;
}

const maxFrame = 16_384;
const connectionSpecific = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const requestPseudo = new Set([':method', ':scheme', ':authority', ':path', ':protocol']);
const answerPseudo = new Set([':status']);
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;
const fieldValue = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** The first value of a field. */
export function valueIn(fields: Fields, name: string): string | undefined {
  return fields.find((field) => field[0] === name)?.[1];
}

/** Takes the whole frames off the front of a side's bytes. */
export class Splitter {
  #rest: Buffer = Buffer.alloc(0);
  #preface: boolean;
  /** The bytes do not begin as a client's have to. */
  broken = false;

  constructor(fromClient: boolean) {
    this.#preface = fromClient;
  }

  push(bytes: Buffer): readonly Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    if (this.#preface) {
      if (this.#rest.length < preface.length) return frames;
      this.broken = !this.#rest.subarray(0, preface.length).equals(preface);
      this.#preface = false;
      this.#rest = this.#rest.subarray(preface.length);
    }
    while (!this.broken && this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (length > maxFrame) this.broken = true;
      if (this.broken || this.#rest.length < 9 + length) break;
      frames.push({
        type: this.#rest.readUInt8(3),
        flags: this.#rest.readUInt8(4),
        stream: this.#rest.readUInt32BE(5) & 0x7fffffff,
        payload: this.#rest.subarray(9, 9 + length),
      });
      this.#rest = this.#rest.subarray(9 + length);
    }
    return frames;
  }

  /**
   * The part of a DATA frame that came although its rest did not: the other side may hand on a body's bytes as they
   * come.
   */
  get begun(): Frame | undefined {
    if (this.broken || this.#preface || this.#rest.length < 10 || this.#rest[3] !== Type.data)
      return undefined;
    const isPadded = ((this.#rest[4] as number) & Flag.padded) !== 0;
    const stream = this.#rest.readUInt32BE(5) & 0x7fffffff;
    return { type: Type.data, flags: 0, stream, payload: this.#rest.subarray(isPadded ? 10 : 9) };
  }
}

class ConnectionError extends Error {}

/**
 * The messages in one side's frames. Strict in what makes a message one: its head's block is whole, in the order of the
 * connection, its fields are valid. After an error of the connection nothing counts any more.
 */
export class MessageReader {
  readonly messages: Message[] = [];
  /** Interim answers, by stream. */
  readonly interim: { readonly stream: number; readonly head: Fields }[] = [];
  /** Why the connection is in error. */
  fault: string | undefined;
  readonly #kind: 'request' | 'answer';
  readonly #blocks: BlockReader;
  readonly #open = new Map<number, Message>();
  readonly #lengths = new Map<Message, number>();
  readonly #methodOf: (stream: number) => string | undefined;
  #highest = 0;
  #begun = false;
  #partial: { readonly stream: number; readonly ends: boolean; readonly parts: Buffer[] } | undefined;

  /** `methodOf` tells which request an answer's stream is about, since HEAD's has a length and no body. */
  constructor(
    kind: 'request' | 'answer',
    maxTable: number,
    methodOf: (stream: number) => string | undefined = () => undefined,
  ) {
    this.#kind = kind;
    this.#blocks = new BlockReader(maxTable);
    this.#methodOf = methodOf;
  }

  take(frame: Frame): void {
    if (this.fault !== undefined) return;
    try {
      this.#take(frame);
    } catch (error) {
      this.fault = String(error);
    }
  }

  #take({ type, flags, stream, payload }: Frame): void {
    if (!this.#begun && type !== Type.settings) throw new ConnectionError('no SETTINGS first');
    this.#begun = true;
    if (this.#partial !== undefined && (type !== Type.continuation || stream !== this.#partial.stream))
      throw new ConnectionError('a frame within a block');
    switch (type) {
      case Type.headers: {
        if (stream === 0) throw new ConnectionError('HEADERS on the connection');
        let block = unpadded(payload, flags);
        if ((flags & Flag.priority) !== 0) {
          if (block.length < 5) throw new ConnectionError('HEADERS too short');
          block = block.subarray(5);
        }
        this.#partial = { stream, ends: (flags & Flag.endStream) !== 0, parts: [block] };
        if ((flags & Flag.endHeaders) !== 0) this.#block();
        return;
      }
      case Type.continuation: {
        if (this.#partial === undefined) throw new ConnectionError('CONTINUATION of nothing');
        this.#partial.parts.push(payload);
        if ((flags & Flag.endHeaders) !== 0) this.#block();
        return;
      }
      case Type.data: {
        if (stream === 0) throw new ConnectionError('DATA on the connection');
        const message = this.#open.get(stream);
        if (message === undefined || message.over || message.whole) return;
        if (isPaddedBeyond(payload, flags)) {
          // Where the other side has since reset the stream, it does not look.
          message.over = true;
          return;
        }
        message.body = Buffer.concat([message.body, unpadded(payload, flags)]);
        const length = this.#lengths.get(message);
        if (length !== undefined && message.body.length > length) message.over = true;
        else if ((flags & Flag.endStream) !== 0) this.#end(message);
        return;
      }
      case Type.reset: {
        if (stream === 0 || payload.length !== 4) throw new ConnectionError('RST_STREAM of no stream');
        const message = this.#open.get(stream);
        if (message !== undefined) message.over = true;
        return;
      }
      default:
    }
  }

  #block(): void {
    const partial = this.#partial;
    if (partial === undefined) return;
    const { stream, ends, parts } = partial;
    this.#partial = undefined;
    const fields = this.#blocks.read(Buffer.concat(parts));
    const begun = this.#open.get(stream);
    if (begun !== undefined) {
      this.#trailers(begun, fields, ends);
      return;
    }
    if (this.#kind === 'request') {
      if (stream % 2 === 0 || stream <= this.#highest) return;
      this.#highest = stream;
    }
    const head = validFields(fields, this.#kind === 'request' ? requestPseudo : answerPseudo);
    const status = head === undefined ? 0 : Number(valueIn(head, ':status') ?? 0);
    if (head !== undefined && status >= 100 && status < 200 && status !== 101 && !ends) {
      this.interim.push({ stream, head });
      return;
    }
    const isMessage = head !== undefined && (this.#kind === 'request' ? isRequest(head) : isAnswer(head));
    const lengths = (head ?? []).filter(([name]) => name === 'content-length').map(([, value]) => value);
    const isMeasured = lengths.length <= 1 && lengths.every((length) => /^\d+$/.test(length));
    const message: Message = {
      stream,
      head: head ?? [],
      body: Buffer.alloc(0),
      trailers: [],
      whole: false,
      over: false,
    };
    this.#open.set(stream, message);
    if (!isMessage || !isMeasured) {
      // What comes on a stream that brought no message is none either.
      message.over = true;
      return;
    }
    const isBodyless = status === 204 || status === 304 || this.#methodOf(stream) === 'HEAD';
    if (lengths.length === 1 && !isBodyless) this.#lengths.set(message, Number(lengths[0]));
    this.messages.push(message);
    if (ends) this.#end(message);
  }

  #trailers(message: Message, fields: Fields, ends: boolean): void {
    if (message.over || message.whole) return;
    const trailers = validFields(fields, new Set());
    if (trailers === undefined || !ends) {
      message.over = true;
      return;
    }
    message.trailers = trailers;
    this.#end(message);
  }

  #end(message: Message): void {
    const length = this.#lengths.get(message);
    if (length === undefined || length === message.body.length) message.whole = true;
    else message.over = true;
  }
}

function isPaddedBeyond(payload: Buffer, flags: number): boolean {
  return (flags & Flag.padded) !== 0 && (payload[0] ?? 0) >= payload.length;
}

function unpadded(payload: Buffer, flags: number): Buffer {
  if (isPaddedBeyond(payload, flags)) throw new ConnectionError('padding longer than its frame');
  return (flags & Flag.padded) === 0 ? payload : payload.subarray(1, payload.length - (payload[0] ?? 0));
}

/** RFC 9113 §8.2, §8.3; `undefined` where they make the message malformed. */
function validFields(fields: Fields, pseudo: ReadonlySet<string>): Fields | undefined {
  const valid: (readonly [string, string])[] = [];
  const seen = new Set<string>();
  let regular = false;
  for (const [name, value] of fields) {
    if (name.startsWith(':')) {
      if (regular || seen.has(name) || !pseudo.has(name) || !fieldValue.test(value)) return undefined;
      seen.add(name);
    } else {
      regular = true;
      // A name that no HTTP may contain is left out: newer nghttp2 ignores it.
      if (!token.test(name)) continue;
      if (/[A-Z]/.test(name) || connectionSpecific.has(name)) return undefined;
      if (name === 'te' && value.toLowerCase() !== 'trailers') return undefined;
      if (!fieldValue.test(value)) continue;
    }
    valid.push([name, value]);
  }
  return valid;
}

/** RFC 9113 §8.3.1, RFC 8441 §4. */
function isRequest(head: Fields): boolean {
  const [method, scheme, path, protocol] = [':method', ':scheme', ':path', ':protocol'].map((name) =>
    valueIn(head, name),
  );
  const authority = valueIn(head, ':authority') ?? valueIn(head, 'host');
  if (method === undefined || !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method) || !authority) return false;
  if (method === 'CONNECT' && protocol === undefined) return false;
  if (protocol !== undefined && method !== 'CONNECT') return false;
  if (scheme === undefined || path === undefined) return false;
  return path.startsWith('/') || (path === '*' && method === 'OPTIONS');
}

function isAnswer(head: Fields): boolean {
  return /^[2-9]\d\d$/.test(valueIn(head, ':status') ?? '');
}
