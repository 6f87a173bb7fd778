import type { DaemonOptions } from './daemon-options.ts';
import { type Endpoint, readDocument, send } from './exchange.ts';
import type { Reach } from './reach.ts';
import { openLease, type RunLease, runRequestOf } from './run-lease.ts';

import type {
  DecisionPreviewDocument,
  DecisionPreviewRequest,
  ProbeListDocument,
  RunPreviewDocument,
} from './wire-previews.ts';
import type { RunOpening } from './wire-runs.ts';

/** The calls about runs. */
export interface RunCalls {
  openRun(opening: RunOpening): Promise<RunLease>;
  /** What `openRun` would give. Rejects as it does. */
  previewRun(opening: RunOpening): Promise<RunPreviewDocument>;
  /** How to probe each connection, of all providers where none is named. */
  probes(chosen: {
    readonly provider?: string | undefined;
    readonly connection?: string | undefined;
  }): Promise<ProbeListDocument>;
  /** What the proxy would decide about a request that nobody makes. */
  previewDecision(request: DecisionPreviewRequest): Promise<DecisionPreviewDocument>;
}

export function runCalls(reach: Reach, options: DaemonOptions, idleMs: number): RunCalls {
  const post = async <T>(at: Endpoint, target: string, body: unknown): Promise<T> => {
    const response = await send(at, options, { method: 'POST', target, body, idleMs });
    return (await readDocument(response, at.origin)) as T;
  };
  return {
    openRun: (opening) => reach((at) => openLease(at, options, opening, idleMs)),
    // The fingerprints in it are keyed with the secret of the daemon that is asked.
    previewRun: (opening) =>
      reach((at) => post<RunPreviewDocument>(at, '/v1/runs/preview', runRequestOf(opening, at, options))),
    probes: ({ provider, connection }) =>
      reach(async (at) => {
        const given = Object.entries({ provider, connection }).filter(([, value]) => value !== undefined);
        const query = new URLSearchParams(given as [string, string][]).toString();
        const target = query === '' ? '/v1/probes' : `/v1/probes?${query}`;
        const response = await send(at, options, { method: 'GET', target, idleMs });
        return (await readDocument(response, at.origin)) as ProbeListDocument;
      }),
    previewDecision: (request) =>
      reach((at) => post<DecisionPreviewDocument>(at, '/v1/decisions/preview', request)),
  };
}
