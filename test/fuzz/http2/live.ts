import { type Live, LiveRun } from '../../../src/proxy/runs/index.ts';

/** Everything that is open on behalf of runs, since the recorder began. */
export class LiveRecorder {
  readonly open = new Set<Live>();
  readonly #add = LiveRun.prototype.add;
  readonly #remove = LiveRun.prototype.remove;

  constructor() {
    const { open } = this;
    const [add, remove] = [this.#add, this.#remove];
    LiveRun.prototype.add = function (live) {
      open.add(live);
      add.call(this, live);
    };
    LiveRun.prototype.remove = function (live) {
      open.delete(live);
      remove.call(this, live);
    };
  }

  /** What is left but connections to upstreams that wait for another stream. */
  get busy(): readonly string[] {
    return [...this.open]
      .filter((live) => !('active' in live) || live.active !== 0)
      .map((live) => live.constructor.name);
  }

  stop(): void {
    LiveRun.prototype.add = this.#add;
    LiveRun.prototype.remove = this.#remove;
  }
}
