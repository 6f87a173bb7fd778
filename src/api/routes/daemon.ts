import { z } from 'zod';
import type { DoctorDocument, StopDocument, WhoamiDocument } from '../../client/index.ts';
import type { Caller, Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';

const stopRequest = z.object({ when: z.enum(['now', 'idle']) });

export interface DaemonRoutesOptions {
  readonly version: string;
  readonly pid: number;
  readonly home: string;
  readonly url: string;
  readonly tenants: Tenants;
  readonly liveRuns: () => number;
  /** What the caller may know of the daemon's state. */
  readonly doctor: (caller: Caller) => Promise<DoctorDocument>;
  /** Begins to stop; this call is still answered. */
  readonly stop: (when: 'now' | 'idle') => StopDocument;
}

/** Calls about the daemon itself. */
export function daemonRoutes(options: DaemonRoutesOptions): Routes {
  const { version, pid, home, url, tenants, liveRuns, doctor, stop } = options;
  return (app) => {
    app.get('/v1/whoami', async (context) => {
      const caller = context.get('caller');
      const { did, handle, principal } = caller;
      const { keySource } = await tenants.of(caller);
      const document: WhoamiDocument = {
        v: 1,
        version,
        home,
        identity: handle,
        did,
        principal: { id: principal.id, role: principal.role },
        vault: principal.vaultId,
        key_source: keySource,
        daemon: { url, pid, version, live_runs: liveRuns() },
      };
      return context.json(document);
    });
    app.get('/v1/doctor', async (context) => context.json(await doctor(context.get('caller'))));
    app.post('/v1/daemon/stop', (context) =>
      context.json(stop(parseBody(context.get('body'), stopRequest).when)),
    );
  };
}
