import { type Profiler, Session } from 'node:inspector';

/** What of the product's protocol code has run, in blocks, by V8's own counters. */
export class Coverage {
  readonly #session = new Session();
  readonly #known = new Set<string>();
  readonly #isTarget: (url: string) => boolean;

  constructor(isTarget: (url: string) => boolean) {
    this.#isTarget = isTarget;
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  get blocks(): number {
    return this.#known.size;
  }

  /** How many blocks ran since the last call that had never run before; each block's count is told by its magnitude. */
  take(): number {
    const before = this.#known.size;
    const { result } = this.#post('Profiler.takePreciseCoverage') as Profiler.TakePreciseCoverageReturnType;
    for (const { url, functions } of result) {
      if (!this.#isTarget(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count === 0) continue;
          this.#known.add(`${url} ${startOffset} ${endOffset} ${Math.min(4, Math.floor(Math.log2(count)))}`);
        }
      }
    }
    return this.#known.size - before;
  }

  close(): void {
    this.#post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  #post(method: string, params?: object): object | undefined {
    let answer: object | undefined;
    // The session of one's own thread answers before it returns.
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error !== null) throw error;
      answer = result;
    });
    return answer;
  }
}
