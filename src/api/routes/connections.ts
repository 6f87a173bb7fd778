import { z } from 'zod';
import type { ApproveHostsRequest, LogoutDocument } from '../../client/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { connectionDocument, exportDocument, hostsDocument } from '../documents.ts';

const defaultRequest = z.object({ connection: z.string() });
const approveHostsRequest = z.object({
  connection: z.string().exactOptional(),
  hosts: z.array(z.string()),
}) satisfies z.ZodType<ApproveHostsRequest>;

/** Calls about one provider's connections. */
export function connectionRoutes(tenants: Tenants): Routes {
  return (app) => {
    app.get('/v1/connections/:provider', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const details = await connections.read(context.req.param('provider'), context.req.query('connection'), {
        showSecret: context.req.query('show_secret') === '1',
      });
      return context.json(connectionDocument(details, connections));
    });
    app.delete('/v1/connections/:provider', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const report = await connections.logout(context.req.param('provider'), context.req.query('connection'));
      const { newDefault, ...rest } = report;
      const document: LogoutDocument = { v: 1, ...rest, new_default: newDefault ?? null };
      return context.json(document);
    });
    app.put('/v1/connections/:provider/default', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const { connection } = parseBody(context.get('body'), defaultRequest);
      const details = await connections.setDefault(context.req.param('provider'), connection);
      return context.json(connectionDocument(details, connections));
    });
    app.get('/v1/connections/:provider/hosts', async (context) => {
      const { catalog, connections } = await tenants.of(context.get('caller'));
      await catalog.reload();
      const report = await connections.hosts(context.req.param('provider'), context.req.query('connection'));
      return context.json(hostsDocument(report));
    });
    app.post('/v1/connections/:provider/approve-hosts', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const { connection, hosts } = parseBody(context.get('body'), approveHostsRequest);
      const report = await connections.approveHosts(context.req.param('provider'), connection, hosts);
      return context.json(hostsDocument(report));
    });
    app.post('/v1/connections/:provider/export', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const report = await connections.exportVariables(
        context.req.param('provider'),
        context.req.query('connection'),
      );
      return context.json(exportDocument(report));
    });
  };
}
