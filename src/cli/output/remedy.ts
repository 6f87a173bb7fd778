import type { ConnectionSummary } from '../../client/index.ts';

/** What to do about a connection that does not work now; `undefined` while it works. */
export function remedyFor(
  connection: Pick<ConnectionSummary, 'status' | 'refreshable' | 'sign_in_again'>,
): string | undefined {
  const { status, refreshable, sign_in_again } = connection;
  if (status === 'connected') return undefined;
  if (status === 'expired' && refreshable) return 'It will be refreshed on next use.';
  return `Sign in again with: ${sign_in_again}`;
}
