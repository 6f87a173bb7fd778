import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { z } from 'zod';
import type {
  InspectDocument,
  RegisterDocument,
  RegisterRequest,
  ReviewDocument,
} from '../../client/index.ts';
import { askPerson, shellWord } from '../../command-line.ts';
import { redirectUriFor } from '../../connections/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { parseJson, withoutComments } from '../../json.ts';
import type { Fetch } from '../../network/index.ts';
import { removeProvider, type Tenant, type Tenants } from '../../principals/index.ts';
import {
  type ApprovedHosts,
  asksOf,
  type Catalog,
  definedHosts,
  hostsChange,
  type Provider,
  unknownFields,
} from '../../providers/index.ts';
import type { AppEnv, Routes } from '../app.ts';
import { parseBody } from '../body.ts';
import { asksDocument, changesDocument, listDocument, removeDocument, revokeDocument } from '../documents.ts';
import { recordedOrigin, refusedInRun } from '../run-guard.ts';
import { takenFrom } from './taken-hosts.ts';

const registerRequest = z.object({
  definition: z.unknown().exactOptional(),
  url: z.string().exactOptional(),
  force: z.boolean(),
  allow_loopback: z.boolean().exactOptional(),
  review: z.boolean().exactOptional(),
  digest: z.string().exactOptional(),
}) satisfies z.ZodType<RegisterRequest>;

export interface ProviderRoutesOptions {
  readonly tenants: Tenants;
  readonly redirectUri: string;
  readonly fetch: Fetch;
  readonly onChange: () => Promise<void>;
}

/** Calls about definitions. */
export function providerRoutes(options: ProviderRoutesOptions): Routes {
  const { tenants, redirectUri, fetch, onChange } = options;
  const inspect = (provider: Provider): InspectDocument => ({
    ...ownFields(provider),
    v: 1,
    source: provider.source,
    redirect_uri: redirectUriFor(redirectUri, provider),
    asks_for: asksDocument(asksOf(provider)),
    ...unknownFieldsIn(provider),
  });
  return (app) => {
    app.get('/v1/providers', async (context) => {
      const { catalog, connections } = await tenants.of(context.get('caller'));
      await catalog.reload();
      return context.json(listDocument(catalog.list(), await connections.summaries(), connections));
    });
    app.post('/v1/providers', async (context) => {
      const tenant = await tenants.of(context.get('caller'));
      const { catalog, audit } = tenant;
      const request = parseBody(context.get('body'), registerRequest);
      const { definition, url, force, review, digest } = request;
      const document = url === undefined ? definition : await fetchDefinition(url, fetch);
      const how = { replace: force, from: url, allowLoopback: loopbackAllowed(request) };
      const { provider, asks, before } = catalog.review(document, how);
      if (context.get('isInRun') === true) await requireHarmless(context, tenant, { provider, url });
      const found = digestOf(document);
      const reviewed = {
        ...inspect(provider),
        asks_for: asksDocument(asks.usual),
        asks_for_with_base_url: asks.withBaseUrl === undefined ? null : asksDocument(asks.withBaseUrl),
        changes: before === undefined ? null : changesDocument(before.usual, asks.usual),
        changes_with_base_url:
          before === undefined || (before.withBaseUrl ?? asks.withBaseUrl) === undefined
            ? null
            : changesDocument(before.withBaseUrl, asks.withBaseUrl),
      };
      if (review === true) return context.json({ ...reviewed, digest: found } satisfies ReviewDocument);
      if (digest !== undefined && digest !== found) {
        throw new AuthsomeError('InvalidDefinition', 'the definition has changed since it was shown', {
          hint: 'Run the command again, and look at the new one.',
        });
      }
      const hostsBefore = definedBefore(catalog, provider.name);
      await catalog.add(document, how);
      audit.append({
        event: 'provider.registered',
        provider: provider.name,
        identity: context.get('caller').handle,
        ...recordedOrigin(context),
        outcome: 'ok',
        detail: hostsChange(hostsBefore, definedHosts(provider)),
      });
      await onChange();
      return context.json(reviewed satisfies RegisterDocument, 201);
    });
    app.get('/v1/providers/:provider', async (context) => {
      const { catalog } = await tenants.of(context.get('caller'));
      await catalog.reload();
      const provider = catalog.resolve(context.req.param('provider'), context.req.query('base_url'));
      return context.json(inspect(provider));
    });
    app.delete('/v1/providers/:provider', async (context) => {
      const { audit } = await tenants.of(context.get('caller'));
      const name = context.req.param('provider');
      const withConnections = context.req.query('with_connections') === '1';
      const removal = await removeProvider(tenants, context.get('caller'), name, { withConnections });
      audit.append({
        event: 'provider.removed',
        provider: name,
        identity: context.get('caller').handle,
        ...recordedOrigin(context),
        outcome: 'ok',
        detail: removal.outcome,
      });
      await onChange();
      return context.json(removeDocument(name, removal));
    });
    app.post('/v1/providers/:provider/revoke', async (context) => {
      const { catalog, connections } = await tenants.of(context.get('caller'));
      const provider = context.req.param('provider');
      if ((await connections.summaries(provider)).length === 0) catalog.resolve(provider);
      return context.json(revokeDocument(await connections.revoke(provider)));
    });
  };
}

/**
 * Throws `DeniedInRun` for a definition from inside of a run that covers a host of another provider, or takes over what programs
 * in later runs sign in with: their tokens would go where that definition says.
 */
async function requireHarmless(
  context: Context<AppEnv>,
  tenant: Tenant,
  { provider, url }: { readonly provider: Provider; readonly url: string | undefined },
): Promise<void> {
  const owner = await takenFrom(tenant, provider);
  if (owner === undefined && provider.capture === undefined) return;
  const why = owner === undefined ? ', which takes over sign-ins of programs' : ` for a host of ${owner}`;
  throw refusedInRun(tenant, {
    provider: provider.name,
    identity: context.get('caller').handle,
    origin: recordedOrigin(context),
    what: `registering ${provider.name}${why}`,
    hint: askPerson(`authsome register ${shellWord(url ?? 'FILE')}`),
  });
}

/** The hosts of the definition of this name so far. `undefined` for none, or one that was malformed. */
function definedBefore(catalog: Catalog, name: string): ApprovedHosts | undefined {
  if (catalog.problems.some((problem) => problem.name === name)) return undefined;
  const provider = catalog.find(name);
  return provider === undefined ? undefined : definedHosts(provider);
}

/**
 * The definition without the fields that authsome itself adds to one when it shows it. A stranger's would pass as authsome's
 * own words where there is nothing to add.
 */
function ownFields({ document }: Provider): Provider['document'] {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !addedFields.has(name)));
}

const addedFields = new Set<string>([
  ...['v', 'source', 'redirect_uri', 'asks_for', 'asks_for_with_base_url', 'unknown_fields'],
  ...['changes', 'changes_with_base_url', 'digest'],
] satisfies (keyof ReviewDocument)[]);

/** As `InspectDocument` has them: nothing where every field is known. */
function unknownFieldsIn({ document }: Provider): Pick<InspectDocument, 'unknown_fields'> {
  const unknown = unknownFields(document).map(({ pointer, meant }) => ({ pointer, meant: meant ?? null }));
  return unknown.length === 0 ? {} : { unknown_fields: unknown };
}

/** Throws `Usage` where a definition from a URL would be allowed to name this machine. */
function loopbackAllowed({ url, allow_loopback: isAllowed = false }: RegisterRequest): boolean {
  if (!isAllowed || url === undefined) return isAllowed;
  throw new AuthsomeError('Usage', 'a definition from a URL may not name addresses of this machine', {
    hint: 'Download it, read it, and register the file.',
  });
}

function digestOf(document: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(document) ?? '')
    .digest('base64url');
}

/** The JSON at an https URL, not yet validated. */
async function fetchDefinition(text: string, fetch: Fetch): Promise<unknown> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '') {
    throw new AuthsomeError('Usage', 'a definition needs an https URL without credentials in it', {
      hint: 'Give the https URL of its JSON, or a file.',
    });
  }
  const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual' });
  if (!response.ok) {
    await response.body?.cancel();
    throw new AuthsomeError(
      'EndpointUnreachable',
      `${url.origin} responded with ${response.status} instead of a definition`,
      { hint: 'Check the URL. Redirects are not followed: give the final address.' },
    );
  }
  const document = parseJson(withoutComments(await response.text()));
  if (document === undefined) {
    throw new AuthsomeError('InvalidDefinition', `${url.origin} did not send JSON`);
  }
  return document;
}
