import type { AuditEvent } from '../audit/index.ts';

const done: Readonly<Partial<Record<AuditEvent['event'], string>>> = {
  'sign_in.completed': 'connected',
  'secret.revealed': 'revealed',
  'secret.exported': 'exported',
  'connection.replaced': 'replaced',
  'connection.removed': 'removed',
  'connection.revoked': 'revoked',
  'connection.default_changed': 'made the default',
  'connection.hosts_approved': 'approved for other hosts',
  'provider.registered': 'definition registered',
  'provider.removed': 'definition removed',
  'vault.passphrase_set': 'passphrase of the vault set',
  'vault.passphrase_removed': 'passphrase of the vault removed',
  'rules.changed': 'rules changed',
};

/** What to tell a person at the end of a run about an event in it; `undefined` for one that is nothing special. */
export function noticeOf(event: AuditEvent): string | undefined {
  const misplaced = misplacedIn(event);
  if (misplaced !== undefined) return `refused: ${misplaced}`;
  if (event.event === 'call.refused') return `refused: ${event.detail ?? 'a call'}`;
  const what = done[event.event];
  // Rules that cannot be read have changed as well: everything is denied now.
  const counts = event.outcome === 'ok' || event.event === 'rules.changed';
  if (what === undefined || !counts) return undefined;
  const { provider, connection } = event;
  if (provider === undefined) return what;
  return `${connection === undefined ? provider : `${provider}/${connection}`} ${what}`;
}

/** What is said of a phantom that was refused where it was; `undefined` for any other event. */
export function misplacedIn(event: AuditEvent): string | undefined {
  if (event.outcome !== 'PhantomMisplaced') return undefined;
  if (event.event === 'decision') return event.reason;
  return event.event === 'answer.failed' ? event.detail : undefined;
}
