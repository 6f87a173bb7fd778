import {
  type BrotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  type Gunzip,
} from 'node:zlib';
import type { Coding } from './applies.ts';
import { type Needle, Scrubber } from './scrubber.ts';

/** Where scrubbed bytes go, and how to ask for a pause. */
export interface Outlet {
  emit(bytes: Buffer): void;
  block(on: boolean): void;
  /** Everything has been emitted; `whole` unless the coding was broken. */
  over(whole: boolean): void;
}

/** A body on its way through: decoded where it is coded, scrubbed, and handed on at once. */
export class ScrubbedBody {
  readonly #scrubber: Scrubber;
  readonly #outlet: Outlet;
  readonly #decoder: Gunzip | BrotliDecompress | undefined;
  #ended = false;

  constructor(needles: readonly Needle[], coding: Coding, outlet: Outlet) {
    this.#scrubber = new Scrubber(needles);
    this.#outlet = outlet;
    this.#decoder = decoderFor(coding);
    this.#decoder?.on('data', (bytes: Buffer) => this.#pass(this.#scrubber.push(bytes)));
    this.#decoder?.on('drain', () => outlet.block(false));
    this.#decoder?.on('error', () => this.#end(false));
    this.#decoder?.on('end', () => this.#end(true));
  }

  push(bytes: Buffer): void {
    if (this.#decoder === undefined) this.#pass(this.#scrubber.push(bytes));
    // The chunk belongs to a socket's read: the decoder works on it later.
    else if (!this.#decoder.write(bytes)) this.#outlet.block(true);
  }

  finish(): void {
    if (this.#decoder === undefined) this.#end(true);
    else this.#decoder.end();
  }

  abort(): void {
    this.#ended = true;
    this.#decoder?.destroy();
  }

  #pass(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#ended) this.#outlet.emit(bytes);
  }

  #end(whole: boolean): void {
    if (this.#ended) return;
    if (whole) this.#pass(this.#scrubber.flush());
    this.#ended = true;
    this.#decoder?.destroy();
    this.#outlet.over(whole);
  }
}

function decoderFor(coding: Coding): Gunzip | BrotliDecompress | undefined {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    case 'identity':
      return undefined;
  }
}
