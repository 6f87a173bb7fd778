import type { ProbeListDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { Tenants } from '../../principals/index.ts';
import type { Routes } from '../app.ts';

/** The call that tells how to probe each connection. It sends nothing. */
export function probeRoutes(tenants: Tenants): Routes {
  return (app) => {
    app.get('/v1/probes', async (context) => {
      const { connections, catalog } = await tenants.of(context.get('caller'));
      const { provider: asked, connection } = context.req.query();
      const provider = asked === undefined ? undefined : catalog.resolve(asked).name;
      const malformed = new Set(catalog.problems.map(({ name }) => name));
      const chosen = (await connections.summaries(provider)).filter(
        ({ name }) => connection === undefined || name === connection,
      );
      if (provider !== undefined && chosen.length === 0) {
        const key = connection === undefined ? provider : `${provider}/${connection}`;
        throw new AuthsomeError('ConnectionNotFound', `there is no connection to ${key}`);
      }
      const document: ProbeListDocument = {
        v: 1,
        probes: chosen.map(({ provider: name, name: of, baseUrl }) => {
          const isKnown = !malformed.has(name) && catalog.find(name) !== undefined;
          const probe = isKnown ? catalog.resolve(name, baseUrl).probe : undefined;
          return {
            provider: name,
            connection: of,
            request:
              probe === undefined ? null : { url: probe.url, method: probe.method, ok: probe.ok ?? null },
          };
        }),
      };
      return context.json(document);
    });
  };
}
