import { z } from 'zod';
import type { RunDocument, RunRequest } from '../../client/index.ts';
import { fingerprintOf } from '../../identity/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { RunSpecification, Runs } from '../../runs/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';

const runRequest = z.object({
  providers: z.array(z.string()),
  connections: z.record(z.string(), z.string()),
  command: z.string().max(256),
  ca_files: z.array(z.string()).max(16),
  variables: z
    .object({ salt: z.string().min(16).max(64), fingerprints: z.record(z.string(), z.string().max(64)) })
    .optional(),
}) satisfies z.ZodType<RunRequest>;

/** The call that opens a run. The run lives as long as the response is open. */
export function runRoutes(runs: Runs, tenants: Tenants): Routes {
  return (app) => {
    app.post('/v1/runs', async (context) => {
      const caller = context.get('caller');
      const request = parseBody(context.get('body'), runRequest);
      const run = await runs.open(
        {
          providers: request.providers,
          connections: request.connections,
          command: request.command,
          caFiles: request.ca_files,
          held: heldValues(request.variables),
        },
        caller,
        await tenants.of(caller),
      );
      const document: RunDocument = {
        v: 1,
        run_id: run.id,
        proxy_url: run.proxyUrl,
        ca_file: run.caFile,
        ca_bundle_file: run.caBundleFile,
        phantoms: run.phantoms,
        secret_variables: run.secretVariables,
        connections: run.connections,
        ...(Object.keys(run.unapprovedHosts).length === 0 ? {} : { unapproved_hosts: run.unapprovedHosts }),
      };
      const line = Buffer.from(`${JSON.stringify(document)}\n`);
      const lease = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(line);
          void run.ended.then(() => {
            // A stream that the caller has cancelled is closed already.
            if (!isCancelled) controller.close();
          });
        },
        cancel() {
          isCancelled = true;
          run.end();
        },
      });
      let isCancelled = false;
      // If the caller has disconnected already, nothing else would end the run.
      if (context.env.outgoing?.destroyed === true) run.end();
      return context.body(lease, 200, {
        'Content-Type': 'application/x-ndjson',
        // Set here: otherwise the server waits a millisecond to see whether the body ends and needs no chunks.
        'Transfer-Encoding': 'chunked',
      });
    });
  };
}

function heldValues(variables: RunRequest['variables']): RunSpecification['held'] {
  if (variables === undefined) return undefined;
  const { salt, fingerprints } = variables;
  return { fingerprints, fingerprintOf: (secret) => fingerprintOf(salt, secret) };
}
