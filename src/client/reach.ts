import { AuthsomeError } from '../errors.ts';
import { currentDaemon, ensureDaemon } from './daemon.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { readDaemonRecord } from './daemon-record.ts';
import { type Endpoint, NotReached, noHostedDaemon } from './exchange.ts';
import { endpointOf } from './probe.ts';

/** Makes a call at the daemon's endpoint, found on first use. */
export type Reach = <T>(attempt: (endpoint: Endpoint) => Promise<T>) => Promise<T>;

/**
 * Calls go to the daemon that the settings name. If the first try does not reach it, or its signature is refused, the
 * daemon is located again and the call made again, once.
 */
export function createReach(options: DaemonOptions): Reach {
  const { settings } = options;
  let endpoint: Promise<Endpoint> | undefined;
  return async (attempt) => {
    endpoint ??= locate(options);
    try {
      return await attempt(await endpoint);
    } catch (error) {
      endpoint = undefined;
      if (!mayBeMadeAgain(error)) throw error;
    }
    endpoint = settings.isLocal ? ensureDaemon(options).then(endpointOf) : locate(options);
    try {
      return await attempt(await endpoint);
    } catch (error) {
      endpoint = undefined;
      if (!(error instanceof NotReached)) throw error;
      throw settings.isLocal ? unreachable(settings.baseUrl) : noHostedDaemon(settings.baseUrl);
    }
  };
}

/**
 * Whether nothing was done. That holds for a signature that was refused, too: a machine that sleeps between signing and
 * sending wakes with one that is too old.
 */
function mayBeMadeAgain(error: unknown): boolean {
  return (
    error instanceof NotReached || (error instanceof AuthsomeError && error.code === 'RequestNotAuthentic')
  );
}

export function unreachable(origin: string): AuthsomeError {
  return new AuthsomeError('DaemonUnavailable', `cannot reach the daemon at ${origin}`);
}

async function locate(options: DaemonOptions): Promise<Endpoint> {
  const { settings } = options;
  if (!settings.isLocal) {
    const { hostedEndpoint } = await import('./hosted.ts');
    return hostedEndpoint(options);
  }
  const record = readDaemonRecord(settings.home) ?? (await ensureDaemon(options));
  const isCurrent = record.version === options.version;
  return endpointOf(isCurrent ? record : await currentDaemon(record, options));
}
