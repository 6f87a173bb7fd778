import type { Context } from 'hono';
import { z } from 'zod';
import type { AuthSessionDocument, LoginRequest } from '../../client/index.ts';
import { askPerson, signInLine } from '../../command-line.ts';
import type { AuthSession } from '../../connections/index.ts';
import type { Tenant, Tenants } from '../../principals/index.ts';
import type { AppEnv, Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { sessionDocument } from '../documents.ts';
import type { PeerGateOptions } from '../peer.ts';
import { longestWaitMs, wholeNumber } from '../query.ts';
import { recordedOrigin, refusedInRun } from '../run-guard.ts';
import { takenFrom } from './taken-hosts.ts';

const loginRequest = z.object({
  provider: z.string(),
  connection: z.string().exactOptional(),
  flow: z.string().exactOptional(),
  scopes: z.array(z.string()).exactOptional(),
  base_url: z.string().exactOptional(),
  force: z.boolean(),
  api_key: z.string().exactOptional(),
  client_id: z.string().exactOptional(),
  client_secret: z.string().exactOptional(),
}) satisfies z.ZodType<LoginRequest>;
const pasteRequest = z.object({ url: z.string() });
const clientRequest = z.object({ client_id: z.string(), client_secret: z.string() });
const secretRequest = z.object({ api_key: z.string() });

/** Calls about sign-ins in progress. */
export function authSessionRoutes(tenants: Tenants, gate: PeerGateOptions): Routes {
  const document = (session: AuthSession): AuthSessionDocument =>
    sessionDocument(session, gate.peers.excludesOthers);
  return (app) => {
    app.post('/v1/auth-sessions', async (context) => {
      const tenant = await tenants.of(context.get('caller'));
      const { connections, catalog } = tenant;
      const request = parseBody(context.get('body'), loginRequest);
      // A definition may have been put into `providers/` just now.
      await catalog.reload();
      if (context.get('isInRun') === true) await requireOwnHosts(context, tenant, request);
      const session = await connections.signIns.start({
        provider: request.provider,
        connection: request.connection,
        flow: request.flow,
        scopes: request.scopes,
        baseUrl: request.base_url,
        force: request.force,
        apiKey: request.api_key,
        clientId: request.client_id,
        clientSecret: request.client_secret,
        isFromRun: context.get('isInRun') === true,
      });
      return context.json(document(session), 201);
    });
    app.get('/v1/auth-sessions/last', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      return context.json(document(await connections.signIns.readLastUnfinished()));
    });
    app.get('/v1/auth-sessions/:id', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const id = context.req.param('id');
      const waitMs = wholeNumber(context.req.query('wait_ms'), 'wait_ms', 0, longestWaitMs);
      const seen = wholeNumber(context.req.query('seen'), 'seen', 0, Number.MAX_SAFE_INTEGER);
      const session =
        waitMs === 0
          ? await connections.signIns.read(id)
          : await connections.signIns.waitForChange(id, seen, waitMs);
      return context.json(document(session));
    });
    app.post('/v1/auth-sessions/:id/callback', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const { url } = parseBody(context.get('body'), pasteRequest);
      return context.json(
        document(await connections.signIns.callbackFromPaste(context.req.param('id'), url)),
      );
    });
    app.post('/v1/auth-sessions/:id/client', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const { client_id: clientId, client_secret: clientSecret } = parseBody(
        context.get('body'),
        clientRequest,
      );
      return context.json(
        document(await connections.signIns.submitClient(context.req.param('id'), { clientId, clientSecret })),
      );
    });
    app.post('/v1/auth-sessions/:id/secret', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      const { api_key: apiKey } = parseBody(context.get('body'), secretRequest);
      return context.json(document(await connections.signIns.submitSecret(context.req.param('id'), apiKey)));
    });
    app.post('/v1/auth-sessions/:id/address', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      return context.json(document(await connections.signIns.renewAddress(context.req.param('id'))));
    });
    app.delete('/v1/auth-sessions/:id', async (context) => {
      const { connections } = await tenants.of(context.get('caller'));
      return context.json(document(await connections.signIns.cancel(context.req.param('id'))));
    });
  };
}

/** Throws `DeniedInRun` for a base URL from inside of a run that is on a host of another provider. */
async function requireOwnHosts(
  context: Context<AppEnv>,
  tenant: Tenant,
  { provider: name, base_url: baseUrl }: LoginRequest,
): Promise<void> {
  // Without one, the definition's own hosts count, which were looked at when it was registered.
  const provider = baseUrl === undefined ? undefined : tenant.catalog.find(name, { baseUrl });
  const owner = provider && (await takenFrom(tenant, provider));
  if (owner === undefined) return;
  throw refusedInRun(tenant, {
    provider: name,
    identity: context.get('caller').handle,
    origin: recordedOrigin(context),
    what: `signing in to ${name} at a host of ${owner}`,
    hint: askPerson(signInLine({ provider: name, baseUrl })),
  });
}
