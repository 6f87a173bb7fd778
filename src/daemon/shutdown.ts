import { setTimeout as sleep } from 'node:timers/promises';
import type { Closers } from './closers.ts';
import type { Listener } from './listener.ts';
import type { Runtime } from './runtime.ts';
import type { Stores } from './stores.ts';

export interface ShutdownOptions {
  readonly listener: Listener;
  readonly stores: Stores;
  readonly runtime: Runtime;
  readonly closers: Closers;
  /** Called with what a part throws that cannot be closed. */
  readonly onFailure: (thrown: unknown) => void;
}

/** More than providers that are about to respond, and responses in progress, take together. */
const deadlineMs = 15_000;

/**
 * Stops taking calls, ends the runs, waits for providers that are about to respond, and closes everything. It ends in
 * every case: what fails does not keep the rest from being closed, and what hangs is left behind.
 */
export async function shutdown(options: ShutdownOptions): Promise<void> {
  await Promise.race([closeAll(options), sleep(deadlineMs, undefined, { ref: false })]);
}

async function closeAll({ listener, stores, runtime, closers, onFailure }: ShutdownOptions): Promise<void> {
  const attempt = async (close: () => void | Promise<void>): Promise<void> => {
    try {
      await close();
    } catch (thrown) {
      onFailure(thrown);
    }
  };
  const listenerClosed = attempt(() => listener.close());
  // Begins now, since it may take long: a provider may be about to send the successor of a spent refresh token.
  const settled = attempt(() => runtime.settle());
  // The response that is a run's lease stays open until the run ends, so the listener can only close after that.
  await attempt(() => runtime.runs.endAll());
  await attempt(() => runtime.proxy.close());
  await listenerClosed;
  await settled;
  await attempt(() => stores.trail.append({ event: 'daemon.stopped', outcome: 'ok' }));
  await closers.close();
}
