import { AuthsomeError } from '../errors.ts';
import type { Fetch } from './endpoint.ts';
import { afterThat, isBusy, maxRetryAfterMs, retryAfterMs } from './retry-after.ts';

const mostOrigins = 200;

/** Which servers want to be left alone, and until when. */
export interface Waits {
  /** The same fetch, which rejects with EndpointUnreachable while the server of a request wants to be left alone. */
  obeying(fetch: Fetch): Fetch;
}

/** Remembers the `Retry-After` of responses with status 429 and 503, by origin. */
export function rememberWaits(nowMs: () => number): Waits {
  const untilMs = new Map<string, number>();
  const leftMs = (origin: string): number => {
    const left = (untilMs.get(origin) ?? 0) - nowMs();
    // A clock that was set back does not make a wait longer than any server may ask for.
    return left <= maxRetryAfterMs ? left : 0;
  };
  return {
    obeying: (fetch) => async (input, init) => {
      const { origin, host } = new URL(input instanceof Request ? input.url : input);
      const left = leftMs(origin);
      if (left > 0) throw leftAlone(host, left);
      const response = await fetch(input, init);
      const said = { status: response.status, retryAfterMs: retryAfterMs(response.headers) };
      if (isBusy(said)) {
        if (untilMs.size >= mostOrigins) untilMs.clear();
        untilMs.set(origin, nowMs() + (said.retryAfterMs ?? 0));
      }
      return response;
    },
  };
}

export function leftAlone(host: string, ms: number | undefined): AuthsomeError {
  return new AuthsomeError('EndpointUnreachable', `${host} is busy and asks to be left alone for now`, {
    hint: `Try again ${afterThat(ms)}.`,
  });
}
