export const maxRetryAfterMs = 10 * 60_000;

/**
 * How long a server wants not to be asked again (RFC 9110 §10.2.3), from seconds or from a date by the server's own clock;
 * at most ten minutes. `undefined` where it does not say.
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  const ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(value) - Date.parse(headers.get('date') ?? '');
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined;
}

/** `in 5 s`, or `later` where the server does not say when. */
export function afterThat(ms: number | undefined): string {
  return ms === undefined ? 'later' : `in ${Math.ceil(ms / 1000)} s`;
}

/** Whether a response says that the server is busy, and for how long it wants to be left alone. */
export function isBusy(reply: {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
}): boolean {
  return (reply.status === 429 || reply.status === 503) && reply.retryAfterMs !== undefined;
}
