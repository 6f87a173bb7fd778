import { z } from 'zod';
import type { RunDocument, RunRequest } from '../../client/index.ts';
import { askPerson, shellWord } from '../../command-line.ts';
import { fingerprintKey, fingerprintOf } from '../../identity/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { RunSpecification, Runs } from '../../runs/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { type OriginOptions, originOf } from '../calling-process.ts';
import { deniedInRun, isRefusedTo } from '../run-guard.ts';

const runRequest = z.object({
  providers: z.array(z.string()),
  connections: z.record(z.string(), z.string()),
  command: z.string().max(256),
  trusted: z.boolean().optional(),
  inherit_secrets: z.boolean().optional(),
  ca_files: z.array(z.string()).max(16),
  variables: z
    .object({ salt: z.string().min(16).max(64), fingerprints: z.record(z.string(), z.string().max(64)) })
    .optional(),
}) satisfies z.ZodType<RunRequest>;

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
      const isTrusted = request.trusted === true;
      const found = await originOf(context, options);
      if (isTrusted && isRefusedTo(found)) {
        throw deniedInRun(
          'starting a trusted run',
          askPerson(`authsome run --trusted -- ${shellWord(request.command)}`),
        );
      }
      const socket = context.env.incoming?.socket;
      const run = await runs.open(
        {
          providers: request.providers,
          connections: request.connections,
          command: request.command,
          isTrusted,
          inheritsSecrets: request.inherit_secrets === true,
          surrounding: found.surrounding,
          leaseSocket: socket === undefined ? undefined : await peers.socketId(socket, 'checked'),
          caFiles: request.ca_files,
          held: heldValues(request.variables, context.get('homeSecret')),
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
        ...(Object.keys(run.providerPhantoms).length === 0
          ? {}
          : { provider_phantoms: run.providerPhantoms }),
        ...(run.phantomVariables.length === 0 ? {} : { phantom_variables: run.phantomVariables }),
        ...(run.keyPatterns.length === 0 ? {} : { key_patterns: run.keyPatterns }),
        ...(run.overrides === undefined
          ? {}
          : {
              overrides: {
                resolved_hosts: run.overrides.resolvedHosts,
                extra_roots: run.overrides.extraRoots,
              },
            }),
        ...(run.outer === undefined ? {} : { outer_run: run.outer }),
        ...(Object.keys(run.unapprovedHosts).length === 0 ? {} : { unapproved_hosts: run.unapprovedHosts }),
      };
      const line = Buffer.from(`${JSON.stringify(document)}\n`);
      const lease = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(line);
          run.onNotice((notice) => {
            if (!isCancelled) controller.enqueue(Buffer.from(`${JSON.stringify({ notice })}\n`));
          });
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

function heldValues(
  variables: RunRequest['variables'],
  homeSecret: Uint8Array | undefined,
): RunSpecification['held'] {
  if (variables === undefined) return undefined;
  const { salt, fingerprints } = variables;
  const key = fingerprintKey(salt, homeSecret);
  return { fingerprints, fingerprintOf: (secret) => fingerprintOf(key, secret) };
}
