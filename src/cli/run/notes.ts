import type { RunDocument } from '../../client/index.ts';
import type { Environment } from '../../environment.ts';
import { withheldNote } from './environment.ts';

/** What a person should know of a run before its command starts, a line each. */
export async function startNotes(
  parent: Environment,
  run: RunDocument,
  { isTrusted }: { readonly isTrusted: boolean },
): Promise<readonly string[]> {
  const { unapproved_hosts: unapproved } = run;
  const notes = [withheldNote(parent, run)];
  if (unapproved !== undefined) {
    const { unapprovedNotes } = await import('../output/unapproved-hosts.ts');
    notes.push(...unapprovedNotes(unapproved));
  }
  if (isTrusted) notes.push(trustedNote);
  notes.push(nestedNote(run), overridesNote(run));
  return notes.filter((note) => note !== undefined);
}

/** As much as a person reads. What an agent causes can be far more, and longer. */
const mostNotices = 10;
const longestNotice = 120;

/** What happened in a run that a person should know, what is done before what is refused; `undefined` for nothing. */
export function endNote(notices: readonly string[]): string | undefined {
  if (notices.length === 0) return undefined;
  const times = new Map<string, number>();
  for (const notice of notices) times.set(notice, (times.get(notice) ?? 0) + 1);
  const isRefusal = (notice: string): number => (notice.startsWith('refused: ') ? 1 : 0);
  const distinct = [...times].sort(([one], [other]) => isRefusal(one) - isRefusal(other));
  const parts = distinct
    .slice(0, mostNotices)
    .map(([notice, count]) => (count === 1 ? shortened(notice) : `${shortened(notice)} (${count} times)`));
  const more = distinct.length - parts.length;
  if (more > 0) parts.push(`and ${more} more`);
  return `authsome: during this run: ${parts.join('; ')}. See: authsome log`;
}

function shortened(notice: string): string {
  return notice.length > longestNotice ? `${notice.slice(0, longestNotice)}…` : notice;
}

const trustedNote =
  'authsome: this run is trusted. What it starts may reveal, export, replace and remove your connections.';

function nestedNote({ outer_run: outer, connections }: RunDocument): string | undefined {
  if (outer === undefined) return undefined;
  return `authsome: this run is inside of ${outer}. It has: ${connections.join(', ') || 'no connections'}.`;
}

function overridesNote({ overrides }: RunDocument): string | undefined {
  if (overrides === undefined) return undefined;
  const { resolved_hosts: hosts, extra_roots: roots } = overrides;
  const parts = [
    ...(hosts.length === 0 ? [] : [`finds ${hosts.join(', ')} at addresses that were set by hand`]),
    ...(roots === 0 ? [] : [`trusts ${roots === 1 ? '1 extra root' : `${roots} extra roots`}`]),
  ];
  return `authsome: the daemon ${parts.join(', and ')}.`;
}
