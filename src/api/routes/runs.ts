import type { RunDocument } from '../../client/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { Runs } from '../../runs/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { type OriginOptions, originOf } from '../calling-process.ts';
import { overridesDocument } from '../documents.ts';
import { requireMayTrust, runRequest, specificationOf } from './run-specification.ts';

export interface RunRoutesOptions extends OriginOptions {
  readonly runs: Runs;
  readonly tenants: Tenants;
}

/** The call that opens a run. The run lives as long as the response is open. */
export function runRoutes(options: RunRoutesOptions): Routes {
  const { runs, tenants, peers } = options;
  return (app) => {
    app.post('/v1/runs', async (context) => {
      const caller = context.get('caller');
      const request = parseBody(context.get('body'), runRequest);
      const found = await originOf(context, options);
      requireMayTrust(request, found);
      const socket = context.env.incoming?.socket;
      const run = await runs.open(
        {
          ...specificationOf(request, found, context.get('homeSecret')),
          leaseSocket: socket === undefined ? undefined : await peers.socketId(socket, 'checked'),
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
        ...(run.further.length === 0 ? {} : { further: run.further }),
        ...(Object.keys(run.providerPhantoms).length === 0
          ? {}
          : { provider_phantoms: run.providerPhantoms }),
        ...(run.phantomVariables.length === 0 ? {} : { phantom_variables: run.phantomVariables }),
        ...(run.keyPatterns.length === 0 ? {} : { key_patterns: run.keyPatterns }),
        ...(run.overrides === undefined ? {} : { overrides: overridesDocument(run.overrides) }),
        ...(run.notGiven === undefined ? {} : { not_given: run.notGiven }),
        ...(run.outer === undefined ? {} : { outer_run: run.outer }),
        ...(Object.keys(run.unapprovedHosts).length === 0 ? {} : { unapproved_hosts: run.unapprovedHosts }),
      };
      const line = Buffer.from(`${JSON.stringify(document)}\n`);
      const lease = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(line);
          const tell = (line: { readonly notice: string } | { readonly stopped: string }): void => {
            if (!isCancelled) controller.enqueue(Buffer.from(`${JSON.stringify(line)}\n`));
          };
          run.onNotice((notice) => tell({ notice }));
          run.onStopped((stopped) => tell({ stopped }));
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
