/** A process above a caller, or the caller itself, as far as it shows runs. */
export interface Generation {
  /** The kernel's numbers of its sockets. */
  readonly sockets: ReadonlySet<number>;
  readonly marks: { readonly isMarked: boolean; readonly ids: readonly string[] };
}

/** What is known of a caller's process. */
export interface Position {
  /** The caller, its parent, and so on. Empty where the system does not show it. */
  readonly lineage: readonly Generation[];
  /** The run that the caller says it belongs to. */
  readonly claimed: string | undefined;
  /** It left before anything could be seen, so it counts as a part of a run. */
  readonly isGone: boolean;
}

/** A live run, by what shows that a process descends from it. */
export interface LiveRun {
  /** The kernel's number of the socket that holds the run open, at the side of its owner. */
  readonly leaseSocket: number | undefined;
  readonly isTrusted: boolean;
}

/** The runs around a caller. */
export interface Surrounding {
  /** The live ones: first those whose lease a process above it holds, innermost first. */
  readonly live: readonly string[];
  /** The same with those that are named and not live. */
  readonly named: readonly string[];
  /** Whether each is live and trusted. One that has ended is not. */
  readonly isTrusted: boolean;
}

/**
 * The runs that a caller descends from; `undefined` for none. A process above it may hold a run's lease, which no child can
 * take on or shed. Its environment, or that of one above it, may name a run, and so may the caller. All count: whatever a
 * program adds makes it less trusted, never more.
 */
export function surroundingRuns(
  { lineage, claimed, isGone }: Position,
  runs: ReadonlyMap<string, LiveRun>,
): Surrounding | undefined {
  const bySocket = new Map<number, string>();
  for (const [id, { leaseSocket }] of runs) if (leaseSocket !== undefined) bySocket.set(leaseSocket, id);
  const proven = new Set<string>();
  const said = new Set(claimed === undefined ? [] : [claimed]);
  let isMarked = isGone;
  for (const [generation, { sockets, marks }] of lineage.entries()) {
    isMarked ||= marks.isMarked;
    for (const id of marks.ids) said.add(id);
    // A process that opened a run is not inside of it.
    if (generation === 0 || bySocket.size === 0) continue;
    for (const socket of sockets) {
      const id = bySocket.get(socket);
      if (id !== undefined) proven.add(id);
    }
  }
  // What happens is told to the first of them. So a name that a program gives itself does not come before its own run.
  const ids = [...new Set([...proven, ...said])];
  if (!isMarked && ids.length === 0) return undefined;
  const isTrusted = ids.length > 0 && !isGone && ids.every((id) => runs.get(id)?.isTrusted === true);
  return { live: ids.filter((id) => runs.has(id)), named: ids, isTrusted };
}
