import { basename } from 'node:path';
import type { AuditEvent, Origin } from '../audit/index.ts';
import { lineageOf, type ProcessTable } from '../peers/index.ts';
import type { Settings } from '../settings.ts';
import type { ExtraRoots } from './outbound.ts';

export interface StartedOptions {
  readonly version: string;
  readonly settings: Pick<Settings, 'resolveOverrides'>;
  readonly extraRoots: readonly ExtraRoots[];
  readonly startedBy: Origin;
}

/** The event of a start: what was set by hand, and who started it. */
export function startedEvent({ version, settings, extraRoots, startedBy }: StartedOptions): AuditEvent {
  const hosts = [...new Set(settings.resolveOverrides.map(({ host }) => host))];
  const files = extraRoots.map(({ path, count }) => `${path} (${count})`);
  const parts = [
    version,
    ...(hosts.length === 0 ? [] : [`addresses by hand: ${hosts.join(', ')}`]),
    ...(files.length === 0 ? [] : [`extra roots: ${files.join(', ')}`]),
  ];
  return { event: 'daemon.started', outcome: 'ok', ...startedBy, detail: parts.join('; ') };
}

/** The program above the command line that started the daemon `pid`, and the run that it belongs to. */
export function starterOf(pid: number, table: ProcessTable, runs: string, execPath: string): Origin {
  const lineage = lineageOf(pid, table, runs);
  const above = lineage.slice(1);
  const starter = above.find(({ program }) => program !== basename(execPath)) ?? above[0];
  const [run] = lineage.flatMap(({ marks }) => marks.ids);
  return {
    ...(run === undefined ? {} : { run }),
    ...(starter === undefined ? {} : { pid: starter.pid, program: starter.program }),
  };
}
