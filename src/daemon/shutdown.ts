import type { Closers } from './closers.ts';
import type { Listener } from './listener.ts';
import type { Runtime } from './runtime.ts';
import type { Stores } from './stores.ts';

export interface ShutdownOptions {
  readonly listener: Listener;
  readonly stores: Stores;
  readonly runtime: Runtime;
  readonly closers: Closers;
}

/** Takes no more calls, ends the runs, waits for providers that are about to answer, and closes everything. */
export async function shutdown({ listener, stores, runtime, closers }: ShutdownOptions): Promise<void> {
  const unheard = listener.close();
  // Begins now, since it may take long: a refresh token that was just spent has a successor on its way.
  const settled = runtime.settle();
  // An answer that is a run's lease is open until the run ends, so the listener closes after them.
  await runtime.runs.endAll();
  await runtime.proxy.close();
  await unheard;
  await settled;
  stores.trail.append({ event: 'daemon.stopped', outcome: 'ok' });
  await closers.close();
}
