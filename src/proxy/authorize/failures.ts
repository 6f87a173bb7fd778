import { AuthsomeError } from '../../errors.ts';

const retryIfSafe = 'Retry only if repeating it is safe: it may already have taken effect.';

/** How a request that went to an upstream may fail, in the same words for both protocols. */
export const failures = {
  unprocessed: () =>
    new AuthsomeError('UpstreamUnreachable', 'the upstream refused the request before processing it', {
      hint: 'Safe to retry: the request was not processed.',
    }),
  noResponse: (closed: 'connection' | 'stream') =>
    new AuthsomeError('UpstreamUnreachable', `the upstream closed the ${closed} without a response`, {
      hint: retryIfSafe,
    }),
  timeout: () => new AuthsomeError('UpstreamTimeout', 'the upstream did not respond in time'),
  truncated: () =>
    new AuthsomeError('UpstreamUnreachable', 'the upstream ended its response before it was complete'),
  undecodable: () =>
    new AuthsomeError('UpstreamMalformed', 'the response is not in the content coding that it declares'),
  stalled: () =>
    new AuthsomeError('UpstreamTimeout', 'the exchange stalled: no data within the idle timeout'),
} as const;
