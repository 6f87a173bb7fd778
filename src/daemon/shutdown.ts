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

/** Stops taking calls, ends the runs, waits for providers that are about to respond, and closes everything. */
export async function shutdown({ listener, stores, runtime, closers }: ShutdownOptions): Promise<void> {
  const listenerClosed = listener.close();
  // Begins now, since it may take long: a provider may be about to send the successor of a spent refresh token.
  const settled = runtime.settle();
  // The response that is a run's lease stays open until the run ends, so the listener can only close after that.
  await runtime.runs.endAll();
  await runtime.proxy.close();
  await listenerClosed;
  await settled;
  stores.trail.append({ event: 'daemon.stopped', outcome: 'ok' });
  await closers.close();
}
