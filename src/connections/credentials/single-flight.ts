/** Runs one piece of work per key at a time: callers who ask in between get its result. */
export class SingleFlight<Result> {
  readonly #running = new Map<string, Promise<Result>>();

  run(key: string, work: () => Promise<Result>): Promise<Result> {
    const joined = this.#running.get(key);
    if (joined !== undefined) return joined;
    const started = work();
    const ended = (): void => {
      if (this.#running.get(key) === started) this.#running.delete(key);
    };
    this.#running.set(key, started);
    started.then(ended, ended);
    return started;
  }

  isRunning(key: string): boolean {
    return this.#running.has(key);
  }

  /** New callers no longer join the work under way; it continues for those who have. */
  forget(key: string): void {
    this.#running.delete(key);
  }
}
