import type { ProcessTable } from './process-table.ts';
import { type RunMarks, runMarksIn } from './run-marks.ts';

/** A process, and what shows the runs that it belongs to or holds open. */
export interface Relative {
  readonly pid: number;
  readonly program: string;
  /** The kernel's numbers of its sockets. */
  readonly sockets: ReadonlySet<number>;
  readonly marks: RunMarks;
}

/** Deeper than processes are nested, so that a table that changes meanwhile cannot lead in a circle. */
const mostGenerations = 64;

/** A process, then its parent, and so on, up to and without the first process of the system. `runs` is that of the home. */
export function lineageOf(pid: number, table: ProcessTable, runs: string): readonly Relative[] {
  const lineage: Relative[] = [];
  for (let next = pid; next > 1 && lineage.length < mostGenerations; ) {
    const stat = table.statOf(next);
    if (stat === undefined) break;
    lineage.push({
      pid: next,
      program: table.programOf(next, stat.name),
      sockets: table.socketsOf(next),
      marks: runMarksIn(table.variablesOf(next), runs),
    });
    next = stat.parent;
  }
  return lineage;
}

/** Whether a process descends from a run, as far as the environments of it and its parents show. */
export function descendsFromRun(pid: number, table: ProcessTable, runs: string): boolean {
  return lineageOf(pid, table, runs).some(({ marks }) => marks.isMarked);
}
