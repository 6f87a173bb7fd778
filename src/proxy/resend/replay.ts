/** Larger bodies are not kept. */
const maxReplayBytes = 64 * 1024;

/** Keeps the body of a request until its response begins, so that it can be sent again after a 401. */
export class Replay {
  /** The body so far; `undefined` once it is too large to keep. */
  chunks: readonly Buffer[] | undefined;
  readonly #held: Buffer[] = [];
  #bytes = 0;

  /** `declaredBytes`: the length that the request declares, if any. */
  constructor(declaredBytes = 0) {
    this.chunks = declaredBytes > maxReplayBytes ? undefined : this.#held;
  }

  add(chunk: Buffer): void {
    if (this.chunks === undefined) return;
    this.#bytes += chunk.length;
    if (this.#bytes > maxReplayBytes) {
      this.chunks = undefined;
      this.#held.length = 0;
    } else {
      this.#held.push(chunk);
    }
  }
}
