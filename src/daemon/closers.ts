type Close = () => void | Promise<void>;

/** What has been opened so far, and how to close it: a stack, since what came later stands on what came before. */
export class Closers {
  readonly #open: Close[] = [];
  readonly #onFailure: (thrown: unknown) => void;

  /** A closer that throws is reported to `onFailure`, and those below it are still called. */
  constructor(onFailure: (thrown: unknown) => void) {
    this.#onFailure = onFailure;
  }

  add(close: Close): void {
    this.#open.push(close);
  }

  /** Closes everything, the last one first. A second call finds nothing left to close. */
  async close(): Promise<void> {
    for (let close = this.#open.pop(); close !== undefined; close = this.#open.pop()) {
      try {
        await close();
      } catch (thrown) {
        this.#onFailure(thrown);
      }
    }
  }
}
