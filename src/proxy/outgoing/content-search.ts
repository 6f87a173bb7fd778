import { misplacementOf, type RequestRecord } from '../authorize/index.ts';
import type { RunPhantom } from '../contract.ts';
import type { Refusal } from '../decide/index.ts';
import type { PhantomCursor, PhantomFinder, PhantomPlace } from '../phantoms/index.ts';
import { isTextual } from '../scrub/index.ts';

/** How much of the content of a request, or of a message, is searched; and the longest that a secret is put into. */
export const maxSearchedBytes = 1024 * 1024;

/** Searches the content of one request in passing, and its trailers. */
export class ContentSearch {
  /** What was found: the content goes no further. */
  found: RunPhantom | undefined;
  place: PhantomPlace = { kind: 'body' };
  readonly #finder: PhantomFinder;
  readonly #cursor: PhantomCursor | undefined;
  #trailers: PhantomCursor | undefined;
  #searchedBytes = 0;

  /** `part`: content of a binary type is not searched, and its trailers are. */
  constructor(finder: PhantomFinder, part: 'all' | 'trailers' = 'all') {
    this.#finder = finder;
    this.#cursor = part === 'all' ? finder.cursor() : undefined;
  }

  /** Whether a phantom is in the content up to here. */
  look(bytes: Buffer, start: number, end: number): boolean {
    const length = Math.min(end - start, maxSearchedBytes - this.#searchedBytes);
    if (this.found === undefined && this.#cursor !== undefined && length > 0) {
      this.#searchedBytes += length;
      this.found = this.#cursor.feed(bytes, start, start + length);
    }
    return this.found !== undefined;
  }

  /** The same for the next piece of the trailer lines. They are short, and searched whatever the content is. */
  lookAtTrailers(lines: string): boolean {
    if (this.found === undefined) {
      this.#trailers ??= this.#finder.cursor();
      this.found = this.#trailers.feed(Buffer.from(lines, 'latin1'));
      this.place = { kind: 'trailer' };
    }
    return this.found !== undefined;
  }
}

/** The refusal, once something was found. */
export function refusalOfContent(record: RequestRecord, { found, place }: ContentSearch): Refusal {
  return misplacementOf(record, { phantom: found as RunPhantom, place });
}

/** Whether the content of a request with this type is searched. Types that are given more than once count as text. */
export function isSearched(finder: PhantomFinder, contentType: string | undefined): boolean {
  return !finder.isEmpty && isTextual(contentType);
}
