import type { ConnectionStatus } from '../../client/index.ts';

/** What becomes of a connection that does not work now, or what a person has to do; `undefined` while it works. */
export function remedyFor(
  provider: string,
  connection: string,
  state: { readonly status: ConnectionStatus; readonly refreshable: boolean },
): string | undefined {
  const { status, refreshable } = state;
  if (status === 'connected') return undefined;
  if (status === 'expired' && refreshable) return 'It is refreshed when it is used next.';
  const named = connection === 'default' ? '' : ` --connection ${connection}`;
  return `Sign in again with: authsome login ${provider}${named} --force`;
}
