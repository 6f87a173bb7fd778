import { existsSync } from 'node:fs';
import type { AuditTrail } from '../../audit/index.ts';
import { approveHostsLine, shellWord } from '../../command-line.ts';
import type { Tenant } from '../../principals/index.ts';
import { type Catalog, unknownFields, unknownFieldText } from '../../providers/index.ts';
import type { Settings } from '../../settings.ts';
import type { Storage } from '../../storage/index.ts';
import type { Keychain } from '../../vault/index.ts';
import type { Home } from '../home/index.ts';
import { type Check, check, type Depth, type Finding, ok } from './checks.ts';

export interface StoreChecksOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly storage: Storage;
  readonly trail: AuditTrail;
  readonly catalog: Catalog;
  readonly keychain: Keychain;
  /** The tenants whose vaults and connections are looked at. */
  readonly tenants: () => Promise<readonly Tenant[]>;
}

/** Whether what is stored can be read, and whether a person has to do something about it. */
export function storeChecks(options: StoreChecksOptions): readonly Check[] {
  const { home, storage, trail, catalog, tenants } = options;
  const isVital = true;
  return [
    check('database', (depth) => databaseFinding(storage, depth), { isVital }),
    check('audit', () => auditFinding(trail)),
    check('vault', async () => ok((await tenants()).length === 0 ? 'no vault yet' : 'the vault opens'), {
      isVital,
    }),
    check('key_source', async () => keySourceFinding(home, await tenants()), { isVital }),
    check('connections', async () => connectionsFinding(catalog, await tenants())),
    check('hosts', async () => hostsFinding(await tenants())),
    check('sign_ins', async () => signInsFinding(await tenants())),
    check('keychain', () => keychainFinding(options)),
    check('providers', (depth) => providersFinding(catalog, depth), { isVital }),
  ];
}

async function databaseFinding(storage: Storage, depth: Depth): Promise<Finding> {
  if (depth === 'glance') {
    await storage.ping();
    return ok('the database responds');
  }
  return (await storage.isSound())
    ? ok('the database is intact')
    : {
        status: 'fail',
        message: `the database is damaged: ${storage.location}`,
        fix: `authsome daemon stop, then restore ${storage.location} from a backup`,
      };
}

async function auditFinding(trail: AuditTrail): Promise<Finding> {
  const broken = await trail.firstBrokenLink();
  if (broken === undefined) return ok('the audit trail is intact');
  const message = `the audit trail was modified outside authsome: its hash chain breaks at event ${broken}`;
  return { status: 'fail', message, fix: 'authsome log -n 100' };
}

function keySourceFinding({ masterKeyFile }: Home, tenants: readonly Tenant[]): Finding {
  const sources = new Set(tenants.map(({ keySource }) => keySource));
  if (sources.has('file')) {
    return {
      status: 'warn',
      message: `the master key lies beside the vault: a copy of both is enough to read it (${masterKeyFile})`,
      fix: 'authsome vault passphrase set',
    };
  }
  return ok(sources.size === 0 ? 'no master key is needed yet' : `master key: ${[...sources].join(', ')}`);
}

/** Names the connections that only a person can fix. */
async function connectionsFinding(catalog: Catalog, tenants: readonly Tenant[]): Promise<Finding> {
  const malformed = new Set(catalog.problems.map(({ name }) => name));
  const isDefined = (provider: string): boolean =>
    malformed.has(provider) || catalog.find(provider) !== undefined;
  const all = await Promise.all(
    tenants.map(async ({ connections }) =>
      (await connections.summaries()).map((summary) => ({
        ...summary,
        line: connections.signInAgain(summary),
      })),
    ),
  );
  const orphan = all.flat().find(({ provider }) => !isDefined(provider));
  if (orphan !== undefined) {
    return {
      status: 'warn',
      message: `no definition says how to use ${orphan.provider}/${orphan.name}: its provider was removed`,
      fix: `authsome revoke ${shellWord(orphan.provider)}`,
    };
  }
  const unusable = all.flat().filter(({ status, refreshable }) => status !== 'connected' && !refreshable);
  const [first] = unusable;
  if (first === undefined) return ok('no connection needs a new sign-in');
  return {
    status: 'warn',
    message: `needs a new sign-in: ${unusable.map(({ provider, name, status }) => `${provider}/${name} (${status})`).join(', ')}`,
    fix: first.line,
  };
}

/** Names the connections whose definition has gained hosts. */
async function hostsFinding(tenants: readonly Tenant[]): Promise<Finding> {
  const asking = await Promise.all(
    tenants.map(async ({ connections }) =>
      (await connections.summaries()).flatMap((summary) => {
        const hosts = connections.hostsToApprove(summary);
        return hosts.length === 0 ? [] : [{ provider: summary.provider, connection: summary.name, hosts }];
      }),
    ),
  );
  const [first, ...others] = asking.flat();
  if (first === undefined) return ok('no connection waits for hosts to be approved');
  const texts = [first, ...others].map(
    ({ provider, connection, hosts }) => `${provider}/${connection}: ${hosts.join(', ')}`,
  );
  return {
    status: 'warn',
    message: `not approved, so nothing is sent there: ${texts.join('; ')}`,
    fix: approveHostsLine(first),
  };
}

/** Names the connections whose sign-in somebody else may have completed. */
async function signInsFinding(tenants: readonly Tenant[]): Promise<Finding> {
  const all = await Promise.all(tenants.map(({ connections }) => connections.signIns.usedElsewhere()));
  const [first, ...others] = all.flat();
  if (first === undefined) return ok('no completed sign-in was opened in a second browser');
  const names = [first, ...others].map(({ provider, connection }) => `${provider}/${connection}`).join(', ');
  return {
    status: 'warn',
    message: `two browsers opened the sign-in of ${names}: remove what you did not complete yourself`,
    fix: `authsome logout ${first.provider} --connection ${first.connection}`,
  };
}

async function keychainFinding({ keychain, settings, home }: StoreChecksOptions): Promise<Finding> {
  if (settings.masterKey !== undefined) return ok('not used: AUTHSOME_MASTER_KEY is set');
  if (settings.masterKeyFile !== undefined) return ok('not used: AUTHSOME_MASTER_KEY_FILE is set');
  try {
    const key = await keychain.read();
    return ok(
      key === undefined ? 'the keychain responds, and has no key for this home' : 'the keychain responds',
    );
  } catch {
    return ok(
      existsSync(home.masterKeyFile)
        ? `no keychain; the master key is in ${home.masterKeyFile}`
        : 'no keychain',
    );
  }
}

/** One malformed definition is refused alone: the others still work. */
async function providersFinding(catalog: Catalog, depth: Depth): Promise<Finding> {
  if (depth === 'thorough') await catalog.reload();
  const [problem] = catalog.problems;
  if (problem === undefined) {
    return unknownFieldsFinding(catalog) ?? ok(`${catalog.list().length} providers`);
  }
  const { message, hint } = problem.error;
  return { status: 'warn', message, fix: hint };
}

/** A misspelt field of a person's own definition does nothing, and nothing else would say so. */
function unknownFieldsFinding(catalog: Catalog): Finding | undefined {
  for (const { name, source, document } of catalog.list()) {
    if (source !== 'custom') continue;
    const [field] = unknownFields(document);
    if (field === undefined) continue;
    const message = `providers/${name}.json has an ${unknownFieldText(field)}`;
    return { status: 'warn', message, fix: `authsome inspect ${name}` };
  }
  return undefined;
}
