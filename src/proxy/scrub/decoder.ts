import type { Transform } from 'node:stream';
import { type Coding, decoderOf, hasDecodedAll } from '../coding/index.ts';
import type { Needles } from '../needles/index.ts';
import { Scrubber } from './scrubber.ts';

/** Where scrubbed bytes go, and how to ask for a pause. */
export interface Outlet {
  /** False to ask for a pause, until `resume`. */
  emit(bytes: Buffer): boolean;
  block(on: boolean): void;
  /** Everything has been emitted; `isComplete` unless the coding was malformed. */
  ended(isComplete: boolean): void;
  /** Runs a step in the background: what it throws would otherwise end the process. */
  guard(step: () => void): void;
}

/** Scrubs one body in passing: decodes it where it is coded, and hands it on at once. */
export class ScrubbedBody {
  readonly #scrubber: Scrubber;
  readonly #outlet: Outlet;
  readonly #codings: readonly Coding[];
  /** One for each coding, piped into one another; made at the first byte. */
  #decoders: readonly Transform[] = [];
  /** How many bytes each of them was given. */
  readonly #given: number[];
  #ended = false;

  /** `codings` in the order of decoding. */
  constructor(needlesNow: () => Needles, codings: readonly Coding[], outlet: Outlet) {
    this.#scrubber = new Scrubber(needlesNow);
    this.#outlet = outlet;
    this.#codings = codings;
    this.#given = codings.map(() => 0);
  }

  push(bytes: Buffer): void {
    if (this.#ended || bytes.length === 0) return;
    if (this.#codings.length === 0) {
      this.#pass(this.#scrubber.push(bytes));
      return;
    }
    const first = this.#decoders[0] ?? this.#open(bytes[0] as number);
    this.#give(0, bytes);
    // The chunk belongs to a socket's read, and the decoder works on it later.
    if (!first.write(bytes)) this.#outlet.block(true);
  }

  /** The client reads again. */
  resume(): void {
    this.#decoders.at(-1)?.resume();
  }

  finish(): void {
    const [first] = this.#decoders;
    if (first === undefined) this.#end(true);
    else first.end();
  }

  abort(): void {
    this.#ended = true;
    this.#close();
  }

  #open(firstByte: number): Transform {
    const decoders = this.#codings.map((coding, index) =>
      decoderOf(coding, index === 0 ? firstByte : undefined),
    );
    const first = decoders[0] as Transform;
    const last = decoders.at(-1) as Transform;
    for (const [index, decoder] of decoders.entries()) {
      this.#on(decoder, 'error', () => this.#end(false));
      if (index > 0) {
        const before = decoders[index - 1] as Transform;
        before.on('data', (bytes: Buffer) => this.#give(index, bytes));
        before.pipe(decoder);
      }
    }
    this.#on(first, 'drain', () => this.#outlet.block(false));
    this.#on(last, 'data', (bytes: Buffer) => {
      // A few coded bytes can expand to very many: while the client does not read, nothing more is decoded.
      if (!this.#pass(this.#scrubber.push(bytes))) last.pause();
    });
    this.#on(last, 'end', () => this.#end(this.#haveDecodedAll()));
    this.#decoders = decoders;
    return first;
  }

  #give(index: number, bytes: Buffer): void {
    this.#given[index] = (this.#given[index] as number) + bytes.length;
  }

  #haveDecodedAll(): boolean {
    return this.#decoders.every((decoder, index) =>
      hasDecodedAll(this.#codings[index] as Coding, decoder, this.#given[index] as number),
    );
  }

  #on(decoder: Transform, event: string, step: (bytes: Buffer) => void): void {
    decoder.on(event, (bytes: Buffer) => {
      if (!this.#ended) this.#outlet.guard(() => step(bytes));
    });
  }

  #pass(bytes: Buffer): boolean {
    return bytes.length === 0 || this.#ended || this.#outlet.emit(bytes);
  }

  #end(isComplete: boolean): void {
    if (this.#ended) return;
    if (isComplete) this.#pass(this.#scrubber.flush());
    this.#ended = true;
    this.#close();
    this.#outlet.ended(isComplete);
  }

  #close(): void {
    for (const decoder of this.#decoders) decoder.destroy();
  }
}
