import { z } from 'zod';
import type {
  ScanAnswerDocument,
  ScanListDocument,
  ScanPhantomsDocument,
  ScanPhantomsRequest,
  ScanRequest,
  ScanUndoDocument,
} from '../../client/index.ts';
import type { Comparison, ConnectionSummary } from '../../connections/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { Tenants } from '../../principals/index.ts';
import { asksOf, isFromTemplate, type Provider } from '../../providers/index.ts';
import type { Routes } from '../app.ts';
import { parseBody } from '../body.ts';

const mostValues = 200;
const mostConnections = 200;
const scanRequest = z.object({
  values: z.array(z.object({ provider: z.string(), value: z.string().min(1).max(8192) })).max(mostValues),
}) satisfies z.ZodType<ScanRequest>;

const phantomsRequest = z.object({
  connections: z
    .array(z.object({ provider: z.string(), connection: z.string() }))
    .min(1)
    .max(mostConnections),
}) satisfies z.ZodType<ScanPhantomsRequest>;

export interface ScanRoutesOptions {
  readonly tenants: Tenants;
}

/** Calls of a scan: what to look for, and whether what was found is in the vault. */
export function scanRoutes({ tenants }: ScanRoutesOptions): Routes {
  return (app) => {
    app.get('/v1/scan', async (context) => {
      const { catalog, connections } = await tenants.of(context.get('caller'));
      await catalog.reload();
      const summaries = await connections.summaries();
      const document: ScanListDocument = {
        v: 1,
        providers: catalog.list().map((provider) => ({
          name: provider.name,
          display_name: provider.displayName,
          variables: variablesOf(provider),
          key_pattern: provider.apiKey?.keyPattern?.source ?? null,
          takes_key: provider.apiKey !== undefined,
          source: provider.source,
          hosts: asksOf(provider).hosts,
          connections: namesOf(summaries.filter((each) => each.provider === provider.name)),
        })),
      };
      return context.json(document);
    });
    app.post('/v1/scan/undo', (context) => {
      const document: ScanUndoDocument = { v: 1 };
      return context.json(document);
    });
    app.post('/v1/scan/phantoms', async (context) => {
      const { catalog, connections } = await tenants.of(context.get('caller'));
      const { connections: wanted } = parseBody(context.get('body'), phantomsRequest);
      const keys = wanted.map(
        ({ provider, connection }) => `${catalog.resolve(provider).name}/${connection}`,
      );
      await connections.phantoms.require(keys);
      const document: ScanPhantomsDocument = {
        v: 1,
        phantoms: keys.map((key) => {
          const phantom = connections.phantoms.newest(key);
          if (phantom !== undefined) return phantom;
          throw new AuthsomeError('ConnectionNotFound', `there is no connection ${key}`);
        }),
      };
      return context.json(document);
    });
    app.post('/v1/scan', async (context) => {
      const tenant = await tenants.of(context.get('caller'));
      const { catalog, connections } = tenant;
      const { values } = parseBody(context.get('body'), scanRequest);
      const byProvider = new Map<string, Set<string>>();
      for (const { provider, value } of values) {
        byProvider.set(provider, (byProvider.get(provider) ?? new Set()).add(value));
      }
      const compared = new Map<string, ReadonlyMap<string, Comparison>>();
      for (const [name, found] of byProvider) {
        const provider = catalog.resolve(name);
        const distinct = [...found];
        const comparisons = await connections.compare(provider.name, distinct);
        compared.set(name, new Map(comparisons.map((each, index) => [distinct[index] ?? '', each])));
      }
      const document: ScanAnswerDocument = {
        v: 1,
        answers: values.map(({ provider, value }) => {
          const comparison = compared.get(provider)?.get(value);
          const inVault = comparison?.inVault ?? 'absent';
          const isPhantom =
            inVault !== 'same' &&
            (connections.phantoms.has(value) || isFromTemplate(catalog.resolve(provider), value));
          return {
            in_vault: isPhantom ? 'phantom' : inVault,
            connection: isPhantom ? null : (comparison?.connection ?? null),
          };
        }),
      };
      return context.json(document);
    });
  };
}

/** The default first. */
function namesOf(summaries: readonly ConnectionSummary[]): readonly string[] {
  return [...summaries]
    .sort((left, right) => Number(right.isDefault) - Number(left.isDefault))
    .map(({ name }) => name);
}

function variablesOf(provider: Provider): readonly string[] {
  const named = [provider.apiKey?.envVar, ...provider.exportVariables.map(({ name }) => name)];
  return [...new Set(named.filter((name) => name !== undefined))];
}
