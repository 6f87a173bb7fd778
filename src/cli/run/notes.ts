import type { RunDocument } from '../../client/index.ts';
import type { Environment } from '../../environment.ts';
import type { GivenVariables } from './given-variables.ts';

/** What a person should know of a run before its command starts, a line each. */
export async function startNotes(
  parent: Environment,
  run: RunDocument,
  given: GivenVariables,
  { isTrusted, inheritsSecrets }: { readonly isTrusted: boolean; readonly inheritsSecrets: boolean },
): Promise<readonly string[]> {
  const { unapproved_hosts: unapproved } = run;
  const notes = [startLine(parent, run, given)];
  if (unapproved !== undefined) {
    const { unapprovedNotes } = await import('../output/unapproved-hosts.ts');
    notes.push(...unapprovedNotes(unapproved));
  }
  if (inheritsSecrets) notes.push(inheritingNote);
  if (isTrusted) notes.push(trustedNote);
  return [...notes, overridesNote(run)].filter((note) => note !== undefined);
}

/**
 * Which connections the run has, and which of the parent's variables the child does not get as they are. Never what they
 * contain. Inside a run, what a phantom replaces was a phantom before.
 */
export function startLine(
  parent: Environment,
  { connections, further = [], outer_run: outer }: Pick<RunDocument, 'connections' | 'further' | 'outer_run'>,
  { phantoms, secret_variables: secrets }: GivenVariables,
): string {
  const isSet = (name: string): boolean => parent[name] !== undefined && parent[name] !== '';
  const replaced = isSet('AUTHSOME_RUN') ? [] : Object.keys(phantoms).filter(isSet).sort();
  const dropped = secrets.filter((name) => isSet(name) && !Object.hasOwn(phantoms, name)).sort();
  const remarks = new Map(further.map(({ connection, variables }) => [connection, remarkOn(variables)]));
  const has = connections.map((key) => key + (remarks.get(key) ?? '')).join(', ') || 'no connections';
  const parts = [
    outer === undefined ? `this run has: ${has}.` : `this run is inside of ${outer}. It has: ${has}.`,
    ...(replaced.length === 0 ? [] : [`Phantoms replace: ${replaced.join(', ')}.`]),
    ...(dropped.length === 0 ? [] : [`Not passed on: ${dropped.join(', ')}. --inherit-secrets keeps them.`]),
  ];
  return `authsome: ${parts.join(' ')}`;
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

function remarkOn(variables: readonly string[]): string {
  return variables.length === 0 ? ' (by its phantom alone)' : ` (in ${variables.join(', ')})`;
}

const inheritingNote =
  'authsome: the secrets of your environment were kept (--inherit-secrets). The command can read them.';

const trustedNote =
  'authsome: this run is trusted. What it starts may reveal, export, replace and remove your connections.';

function overridesNote({ overrides }: RunDocument): string | undefined {
  if (overrides === undefined) return undefined;
  const { resolved_hosts: hosts, extra_roots: roots } = overrides;
  const parts = [
    ...(hosts.length === 0 ? [] : [`finds ${hosts.join(', ')} at addresses that were set by hand`]),
    ...(roots === 0 ? [] : [`trusts ${roots === 1 ? '1 extra root' : `${roots} extra roots`}`]),
  ];
  return `authsome: the daemon ${parts.join(', and ')}.`;
}
