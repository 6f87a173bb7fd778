import type { Context } from 'hono';
import type { Origin } from '../audit/index.ts';
import { pidHeader, runHeader } from '../identity/index.ts';
import type { Callers, CallingProcess, Peers } from '../peers/index.ts';
import type { Runs, Surrounding } from '../runs/index.ts';
import type { AppEnv } from './app.ts';

/** Where a call came from. */
export interface CallOrigin {
  /** For its record. */
  readonly origin: Origin;
  /** The runs that its process descends from; `undefined` for none. */
  readonly surrounding: Surrounding | undefined;
}

export interface OriginOptions {
  readonly callers: Callers;
  readonly peers: Pick<Peers, 'socketId'>;
  readonly runs: Pick<Runs, 'surrounding'>;
}

/** Finds out which process makes a call. Costs milliseconds at worst, so it is done for few calls. */
export async function originOf(
  context: Context<AppEnv>,
  { callers, runs }: OriginOptions,
): Promise<CallOrigin> {
  const claimed = context.req.header(runHeader) || undefined;
  const socket = context.env?.incoming?.socket;
  const pid = Number(context.req.header(pidHeader));
  const claimedPid = Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  const found = socket === undefined ? hidden : await callers.find(socket, claimedPid);
  const lineage = found.kind === 'known' ? found.lineage : [];
  const surrounding = runs.surrounding({ lineage, claimed, isGone: found.kind === 'gone' });
  return { origin: { ...runIn(surrounding), ...processIn(found, claimedPid) }, surrounding };
}

const hidden: CallingProcess = { kind: 'hidden' };

function runIn(surrounding: Surrounding | undefined): Origin {
  const run = surrounding?.live[0] ?? surrounding?.named.find((id) => /^run_[\w-]{1,64}$/.test(id));
  return run === undefined ? {} : { run };
}

/** The command line says its own pid. What matters then is the program that ran it. */
function processIn(found: CallingProcess, claimedPid: number | undefined): Origin {
  if (found.kind !== 'known') return {};
  const [self, parent] = found.lineage;
  const shown = self?.pid === claimedPid ? (parent ?? self) : self;
  return shown === undefined ? {} : { pid: shown.pid, program: shown.program };
}
