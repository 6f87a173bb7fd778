import { sep } from 'node:path';

/** What a run's id looks like. Others are not taken over from an environment. */
const runId = /^run_[\w-]{1,64}$/;

/** What an environment says about the run that it belongs to. */
export interface RunMarks {
  /** Whether there is a mark of a run at all. */
  readonly isMarked: boolean;
  /** The runs that are named in a form that runs have. */
  readonly ids: readonly string[];
}

/**
 * The runs that an environment names: in `AUTHSOME_RUN`, and in paths below `runs/` of the home, which the variables for
 * CA files have. A program that unsets the one has still the others.
 */
export function runMarksIn(variables: Iterable<readonly [string, string]>, runs: string): RunMarks {
  const directory = `${runs}${sep}`;
  const ids = new Set<string>();
  let isMarked = false;
  for (const [name, value] of variables) {
    const isPath = value.startsWith(directory);
    if (!isPath && (name !== 'AUTHSOME_RUN' || value === '')) continue;
    isMarked = true;
    const [id = ''] = isPath ? value.slice(directory.length).split(sep, 1) : [value];
    if (runId.test(id)) ids.add(id);
  }
  return { isMarked, ids: [...ids] };
}
