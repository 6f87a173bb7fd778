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

/** What happened in a run that a person should know; `undefined` for nothing. */
export function endNote(notices: readonly string[]): string | undefined {
  if (notices.length === 0) return undefined;
  const times = (notice: string): number => notices.filter((each) => each === notice).length;
  const parts = [...new Set(notices)].map((notice) =>
    times(notice) === 1 ? notice : `${notice} (${times(notice)} times)`,
  );
  return `authsome: during this run: ${parts.join('; ')}. See: authsome log`;
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
