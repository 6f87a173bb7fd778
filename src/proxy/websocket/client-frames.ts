import { GrowingBuffer } from './growing.ts';
import {
  type FrameHeader,
  frameOf,
  headerBytes,
  mask,
  maxHeaderBytes,
  Opcode,
  readHeader,
} from './header.ts';

/** What of a message is searched, and the longest that is collected to be changed. */
export const maxMessageBytes = 1024 * 1024;
/** With the headers of its fragments. */
const maxCollectedBytes = 2 * maxMessageBytes;
const maxControlBytes = 125;
const scratchBytes = 16 * 1024;

/** What becomes of one whole text message. */
export type Placed<Why> =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'replaced'; readonly bytes: Buffer }
  | { readonly kind: 'refused'; readonly why: Why };

/** What to look for in messages. */
export interface MessageRules<Why> {
  /** Begins the search of one message: call the result for each piece, in order. It returns why to stop, if it is. */
  readonly search: () => (bytes: Buffer, start: number, end: number) => Why | undefined;
  /** Text messages are collected and given to this. Without it, they are searched in passing. */
  readonly place: ((message: Buffer) => Placed<Why>) | undefined;
}

/** Why the connection must end. Nothing of the frame at fault was sent, but for what had passed before. */
export type Stop<Why> =
  | { readonly kind: 'malformed'; readonly reason: string }
  | { readonly kind: 'refused'; readonly why: Why };

type Search<Why> = ReturnType<MessageRules<Why>['search']>;

/** A message, or a control frame, that is under way. */
interface Message<Why> {
  readonly search: Search<Why>;
  searchedBytes: number;
  /** Its payload, and its frames as they came, while it is collected. */
  collected: Collected | undefined;
}

interface Collected {
  readonly payload: GrowingBuffer;
  readonly frames: GrowingBuffer;
}

/**
 * Follows what a client sends, frame by frame. A message that is collected goes out once it is whole: as it came, or as one
 * frame with the same masking key. Everything else passes at once. The outcome does not depend on how bytes are cut.
 */
export class ClientFrames<Why> {
  readonly #rules: MessageRules<Why>;
  readonly #header = Buffer.alloc(maxHeaderBytes);
  /** How many bytes of a header there are. */
  #held = 0;
  /** How many of those came in an earlier chunk, and are not sent. */
  #heldBefore = 0;
  #frame: FrameHeader | undefined;
  readonly #key = Buffer.alloc(4);
  #taken = 0;
  #data: Message<Why> | undefined;
  /** What the frame belongs to: `#data`, or itself as a control frame. */
  #current: Message<Why> | undefined;
  #scratch: Buffer | undefined;
  #stop: Stop<Why> | undefined;

  constructor(rules: MessageRules<Why>) {
    this.#rules = rules;
  }

  /** Takes the next bytes and sends what may pass. Once it returns a reason to stop, it sends nothing more. */
  push(chunk: Buffer, send: (bytes: Buffer) => void): Stop<Why> | undefined {
    if (this.#stop !== undefined) return this.#stop;
    const out = new Passing(chunk, send);
    let at = 0;
    while (this.#stop === undefined && (at < chunk.length || this.#isFrameComplete)) {
      if (this.#isFrameComplete) this.#endFrame(at, out);
      else if (this.#frame !== undefined) at = this.#payload(chunk, at, out);
      else at = this.#headerByte(chunk, at, out);
    }
    if (this.#stop !== undefined) {
      out.dropFrom(out.frameStart);
      return this.#stop;
    }
    if (this.#frame === undefined) {
      out.passUntil(chunk.length - (this.#held - this.#heldBefore));
      this.#heldBefore = this.#held;
    } else if (this.#current?.collected === undefined) {
      out.passUntil(chunk.length);
    }
    return undefined;
  }

  get #isFrameComplete(): boolean {
    return this.#frame !== undefined && this.#taken === this.#frame.payloadBytes;
  }

  #headerByte(chunk: Buffer, at: number, out: Passing): number {
    if (this.#held === 0) out.frameStart = at;
    this.#header[this.#held] = chunk[at] as number;
    this.#held += 1;
    const next = at + 1;
    if (this.#held < 2 || this.#held < headerBytes(this.#header[1] as number)) return next;
    this.#beginFrame(next, out);
    return next;
  }

  #beginFrame(at: number, out: Passing): void {
    const header = this.#header.subarray(0, this.#held);
    const frame = readHeader(header);
    const fault = frame === undefined ? 'a frame is longer than any can be' : this.#faultOf(frame);
    if (frame === undefined || fault !== undefined) {
      this.#stop = { kind: 'malformed', reason: fault ?? '' };
      return;
    }
    this.#frame = frame;
    this.#taken = 0;
    this.#key.fill(0);
    if (frame.isMasked) header.copy(this.#key, 0, this.#held - 4);
    const message = this.#messageOf(frame);
    this.#current = message;
    if (message.collected !== undefined) {
      out.passUntil(at - (this.#held - this.#heldBefore));
      if (!this.#fits(message.collected, frame)) this.#giveUpCollecting(message, message.collected, out);
    }
    if (this.#stop !== undefined) return;
    if (message.collected !== undefined) {
      out.skipTo(at);
      message.collected.frames.append(header);
    } else if (this.#heldBefore > 0) {
      out.send(Buffer.from(header.subarray(0, this.#heldBefore)));
    }
    this.#held = 0;
    this.#heldBefore = 0;
  }

  /** RFC 6455 §5.2, §5.4, §5.5. Whatever else a server made of such a frame would not be what was searched. */
  #faultOf({ isFinal, opcode, payloadBytes, reserved }: FrameHeader): string | undefined {
    if (reserved !== 0) return 'a frame uses an extension that was not agreed on';
    switch (opcode) {
      case Opcode.continuation:
        return this.#data === undefined ? 'a fragment continues no message' : undefined;
      case Opcode.text:
      case Opcode.binary:
        return this.#data === undefined ? undefined : 'a message begins within another';
      case Opcode.close:
      case Opcode.ping:
      case Opcode.pong:
        return isFinal && payloadBytes <= maxControlBytes ? undefined : 'a control frame is too long or cut';
      default:
        return 'a frame has an unknown opcode';
    }
  }

  #messageOf(frame: FrameHeader): Message<Why> {
    if (frame.opcode === Opcode.continuation) return this.#data as Message<Why>;
    const collects = frame.opcode === Opcode.text && this.#rules.place !== undefined;
    const message: Message<Why> = {
      search: this.#rules.search(),
      searchedBytes: 0,
      collected: collects ? { payload: new GrowingBuffer(), frames: new GrowingBuffer() } : undefined,
    };
    if (frame.opcode === Opcode.text || frame.opcode === Opcode.binary) this.#data = message;
    return message;
  }

  #fits({ payload, frames }: Collected, { payloadBytes }: FrameHeader): boolean {
    return payload.length + payloadBytes <= maxMessageBytes && frames.length < maxCollectedBytes;
  }

  /** The message is too long to be changed: it passes, if what is searched of it may. */
  #giveUpCollecting(message: Message<Why>, { payload, frames }: Collected, out: Passing): void {
    message.collected = undefined;
    this.#look(message, payload.bytes, 0, payload.length);
    if (this.#stop !== undefined) return;
    out.send(frames.bytes);
  }

  #payload(chunk: Buffer, at: number, out: Passing): number {
    const frame = this.#frame as FrameHeader;
    const message = this.#current as Message<Why>;
    const end = Math.min(chunk.length, at + frame.payloadBytes - this.#taken);
    const { collected } = message;
    if (collected !== undefined) {
      collected.frames.append(chunk, at, end);
      mask(
        { bytes: chunk, start: at, end, key: this.#key, offset: this.#taken },
        collected.payload.grow(end - at),
      );
      out.skipTo(end);
    } else if (message.searchedBytes < maxMessageBytes) {
      this.#unmaskAndLook(message, chunk, at, end);
    }
    this.#taken += end - at;
    return end;
  }

  #unmaskAndLook(message: Message<Why>, chunk: Buffer, start: number, end: number): void {
    this.#scratch ??= Buffer.allocUnsafe(scratchBytes);
    const scratch = this.#scratch;
    for (let at = start; at < end && this.#stop === undefined; at += scratch.length) {
      const stop = Math.min(end, at + scratch.length);
      mask({ bytes: chunk, start: at, end: stop, key: this.#key, offset: this.#taken + at - start }, scratch);
      this.#look(message, scratch, 0, stop - at);
    }
  }

  #look(message: Message<Why>, bytes: Buffer, start: number, end: number): void {
    const length = Math.min(end - start, maxMessageBytes - message.searchedBytes);
    if (length <= 0) return;
    message.searchedBytes += length;
    const why = message.search(bytes, start, start + length);
    if (why !== undefined) this.#stop = { kind: 'refused', why };
  }

  #endFrame(at: number, out: Passing): void {
    const { isFinal, opcode, isMasked } = this.#frame as FrameHeader;
    const message = this.#current as Message<Why>;
    this.#frame = undefined;
    this.#current = undefined;
    if (!isFinal || opcode >= Opcode.close) return;
    this.#data = undefined;
    const { collected } = message;
    if (collected === undefined) return;
    const placed = (this.#rules.place as NonNullable<MessageRules<Why>['place']>)(collected.payload.bytes);
    if (placed.kind === 'refused') {
      this.#stop = { kind: 'refused', why: placed.why };
      return;
    }
    const key = isMasked ? this.#key : undefined;
    const whole =
      placed.kind === 'unchanged' ? collected.frames.bytes : frameOf(Opcode.text, placed.bytes, key);
    out.send(whole);
    out.skipTo(at);
  }
}

/** Sends parts of one chunk, in order and as few as possible. */
class Passing {
  /** Where the latest frame begins, if in this chunk. */
  frameStart = 0;
  #from = 0;
  readonly #chunk: Buffer;
  readonly #send: (bytes: Buffer) => void;

  constructor(chunk: Buffer, send: (bytes: Buffer) => void) {
    this.#chunk = chunk;
    this.#send = send;
  }

  /** Sends the chunk up to here. */
  passUntil(end: number): void {
    if (end <= this.#from) return;
    const isWhole = this.#from === 0 && end === this.#chunk.length;
    this.#send(isWhole ? this.#chunk : this.#chunk.subarray(this.#from, end));
    this.#from = end;
  }

  skipTo(position: number): void {
    this.#from = Math.max(this.#from, position);
  }

  /** Sends other bytes, after the part of the chunk that is due. */
  send(bytes: Buffer): void {
    this.#send(bytes);
  }

  /** Sends what comes before this position, and nothing of the rest. */
  dropFrom(position: number): void {
    this.passUntil(position);
    this.skipTo(this.#chunk.length);
  }
}
