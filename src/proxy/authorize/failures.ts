import { AuthsomeError } from '../../errors.ts';

/** How a request that was let go may fail, in the same words for both protocols. */
export const failures = {
  truncated: () =>
    new AuthsomeError('UpstreamUnreachable', 'the upstream broke off in the middle of its response'),
  undecodable: () =>
    new AuthsomeError('UpstreamMalformed', 'the response is not in the coding that it declares'),
  stalled: () =>
    new AuthsomeError('UpstreamTimeout', 'nothing moved for too long in the middle of an exchange'),
} as const;

/** The hint about a request that went out and was not answered. */
export const retryIfSafe =
  'Send the request again if it may be carried out twice: whether it had an effect is not known.';
