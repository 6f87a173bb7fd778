import { z } from 'zod';
import type { AdoptDocument, AdoptRequest } from '../../client/index.ts';
import type { Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';

const adoptRequest = z.object({
  connection: z.string().exactOptional(),
  force: z.boolean(),
  secrets: z.record(z.string().max(64), z.string().min(1).max(16_384)),
  scopes: z.array(z.string()).max(200),
  expires_at: z.iso.datetime().nullable(),
  prepare: z.boolean(),
}) satisfies z.ZodType<AdoptRequest>;

/** The call that takes over the sign-in of a program from the program's own file. */
export function adoptionRoutes(tenants: Tenants): Routes {
  return (app) => {
    app.post('/v1/connections/:provider/adopt', async (context) => {
      const { connections, catalog } = await tenants.of(context.get('caller'));
      const { connection, force, secrets, scopes, expires_at, prepare } = parseBody(
        context.get('body'),
        adoptRequest,
      );
      await catalog.reload();
      const adopted = await connections.adopt(
        {
          provider: context.req.param('provider'),
          connection,
          force,
          secrets,
          scopes,
          expiresAtMs: expires_at === null ? undefined : Date.parse(expires_at),
        },
        { onlyPrepare: prepare },
      );
      const document: AdoptDocument = { v: 1, connection: adopted.connection, phantoms: adopted.phantoms };
      return context.json(document);
    });
  };
}
