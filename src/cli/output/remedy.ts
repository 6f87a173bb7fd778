import type { ConnectionSummary } from '../../client/index.ts';

/** What becomes of a connection that does not work now, or what a person has to do; `undefined` while it works. */
export function remedyFor(
  connection: Pick<ConnectionSummary, 'status' | 'refreshable' | 'sign_in_again'>,
): string | undefined {
  const { status, refreshable, sign_in_again } = connection;
  if (status === 'connected') return undefined;
  if (status === 'expired' && refreshable) return 'It is refreshed when it is used next.';
  return `Sign in again with: ${sign_in_again}`;
}
