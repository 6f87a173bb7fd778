import type { RequestHead } from './request.ts';

/** Bodies up to this size are kept until the response's head, so that a 401 can be met by sending them again. */
const maxReplayBytes = 64 * 1024;

const safeToRepeat = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Whether a request may go out a second time when its first connection turned out to be dead (RFC 9110 §9.2.2). */
export function isRepeatable(request: RequestHead): boolean {
  return request.framing.kind === 'none' && request.upgrade === undefined && isIdempotent(request.method);
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(method: string): boolean {
  return safeToRepeat.has(method);
}

/** The body of one request, as long as it is small enough to be kept. */
export class Replay {
  /** What went out so far; `undefined` once it is too much to be sent again. */
  chunks: readonly Buffer[] | undefined;
  readonly #held: Buffer[] = [];
  #bytes = 0;

  /** `declaredBytes`: how long the body says that it will be, where it does. */
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
