import { z } from 'zod';
import type { DecisionPreviewRequest, RunPreviewDocument } from '../../client/index.ts';
import type { RunPreview } from '../../runs/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { originOf } from '../calling-process.ts';
import { decisionPreviewDocument, overridesDocument } from '../documents.ts';
import { requireMayTrust, runRequest, runSelection, specificationOf } from './run-specification.ts';
import type { RunRoutesOptions } from './runs.ts';

const decisionRequest = z.object({
  ...runSelection,
  method: z.string().max(64),
  url: z.string().max(64 * 1024),
}) satisfies z.ZodType<DecisionPreviewRequest>;

/** Calls that tell what a run would have and what the proxy would decide. They open no run and record nothing. */
export function runPreviewRoutes(options: RunRoutesOptions): Routes {
  const { runs, tenants } = options;
  return (app) => {
    app.post('/v1/runs/preview', async (context) => {
      const request = parseBody(context.get('body'), runRequest);
      const found = await originOf(context, options);
      requireMayTrust(request, found);
      const specification = specificationOf(request, found, context.get('homeSecret'));
      const preview = await runs.preview(specification, await tenants.of(context.get('caller')));
      return context.json(runPreviewDocument(preview));
    });
    app.post('/v1/decisions/preview', async (context) => {
      const caller = context.get('caller');
      const { method, url, ...selection } = parseBody(context.get('body'), decisionRequest);
      const found = await originOf(context, options);
      const specification = specificationOf({ ...selection, command: '', ca_files: [] }, found, undefined);
      const tenant = await tenants.of(caller);
      return context.json(
        decisionPreviewDocument(await runs.previewRequest(specification, { method, url }, caller, tenant)),
      );
    });
  };
}

function runPreviewDocument(preview: RunPreview): RunPreviewDocument {
  return {
    v: 1,
    connections: preview.connections,
    variables: preview.variables,
    providers: preview.providers,
    secret_variables: preview.secretVariables,
    phantom_variables: preview.phantomVariables,
    key_patterns: preview.keyPatterns,
    routes: preview.routes.map(({ id, host, connection, placement, isApproved }) => ({
      route: id,
      host,
      connection,
      placement,
      approved: isApproved,
    })),
    sign_in_hosts: preview.signInHosts,
    ...(preview.overrides === undefined ? {} : { overrides: overridesDocument(preview.overrides) }),
    ...(preview.notGiven === undefined ? {} : { not_given: preview.notGiven }),
    ...(preview.outer === undefined ? {} : { outer_run: preview.outer }),
    unapproved_hosts: preview.unapprovedHosts,
  };
}
