import { existsSync, statfsSync } from 'node:fs';
import type { AuditTrail } from '../../audit/index.ts';
import type { ProxyRules } from '../../network/index.ts';
import type { Tenant } from '../../principals/index.ts';
import type { Catalog } from '../../providers/index.ts';
import { readConfig, type Settings, unknownSettings } from '../../settings.ts';
import type { Storage } from '../../storage/index.ts';
import type { Keychain } from '../../vault/index.ts';
import { type Home, homeFaults } from '../home/index.ts';
import type { ExtraRoots } from '../outbound.ts';
import type { LiveRules } from '../rules.ts';
import type { Check, Depth, Finding } from './checks.ts';

export interface DoctorOptions {
  readonly home: Home;
  readonly settings: Settings;
  readonly storage: Storage;
  readonly trail: AuditTrail;
  readonly catalog: Catalog;
  readonly keychain: Keychain;
  /** The tenants whose vaults and connections are looked at. */
  readonly tenants: () => Promise<readonly Tenant[]>;
  readonly rules: LiveRules;
  readonly extraRoots: readonly ExtraRoots[];
  readonly proxies: ProxyRules;
  readonly nowMs: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number;
  /** By how much the two differed when the daemon started. */
  readonly clockOffsetMs: number;
}

const scarceBytes = 64 * 1024 * 1024;
const clockToleranceMs = 60_000;
/** Nothing of ours ran before it. */
const earliestMs = Date.UTC(2025, 0, 1);

/** What the daemon can say about itself. */
export function doctorChecks(options: DoctorOptions): readonly Check[] {
  const { home, settings, storage, trail, catalog, rules, extraRoots, proxies } = options;
  const check = (name: string, look: Check['look'], isVital = false): Check => ({ name, isVital, look });
  return [
    check('home', () => {
      const [fault] = homeFaults(home);
      return fault === undefined
        ? ok(`${home.path} is private and writable`)
        : { status: 'fail', message: fault.message, fix: fault.fix };
    }),
    check('disk', () => {
      const { bavail, bsize } = statfsSync(home.path);
      return bavail * bsize >= scarceBytes
        ? ok('there is space left')
        : { status: 'warn', message: `little space is left on the disk that holds ${home.path}` };
    }),
    check('database', (depth) => databaseFinding(storage, depth), true),
    check('audit', async () => {
      const broken = await trail.firstBrokenLink();
      if (broken === undefined) return ok('the chain of the audit trail holds');
      const message = `the audit trail was changed from outside: its chain breaks at event ${broken}`;
      return { status: 'fail', message, fix: 'authsome log -n 100' };
    }),
    check(
      'vault',
      async () => ok((await options.tenants()).length === 0 ? 'there is no vault yet' : 'the vault opens'),
      true,
    ),
    check(
      'key_source',
      async () => {
        const sources = new Set((await options.tenants()).map(({ keySource }) => keySource));
        return ok(
          sources.size === 0 ? 'no key is needed yet' : `the key is from: ${[...sources].join(', ')}`,
        );
      },
      true,
    ),
    check('connections', async () => connectionsFinding(await options.tenants())),
    check('keychain', () => keychainFinding(options.keychain, settings, home)),
    check('providers', (depth) => providersFinding(catalog, depth), true),
    check('config', () => {
      const unknown = unknownSettings(readConfig(home.configFile));
      if (unknown.length === 0) return ok('config.json holds nothing that authsome does not know');
      const message = `config.json holds what authsome does not know: ${unknown.join(', ')}`;
      return {
        status: 'warn',
        message,
        fix: `Mend ${home.configFile}. What there is: authsome help environment`,
      };
    }),
    check('rules', () => {
      const { problem, ruleCount } = rules.current;
      if (problem === undefined) {
        return ok(ruleCount === 0 ? 'no rules: everything is allowed' : `${ruleCount} rules`);
      }
      const message = `the rules in config.json cannot be read, so everything is denied: ${problem.message}`;
      return { status: 'fail', message, fix: `Mend ${home.configFile}` };
    }),
    check('roots', () => {
      const bad = extraRoots.find(({ count }) => count === 0);
      if (bad !== undefined) {
        const message = `no certificate can be read from ${bad.path}`;
        return { status: 'fail', message, fix: 'Unset the variable that names it, or mend the file.' };
      }
      return ok(
        extraRoots.length === 0
          ? 'no roots besides the usual ones'
          : extraRoots.map(({ path, count }) => `${count} more from ${path}`).join('; '),
      );
    }),
    check('resolve', () => {
      const overrides = settings.resolveOverrides.map(
        ({ host, port, address, targetPort }) => `${host}:${port} → ${address}:${targetPort}`,
      );
      return overrides.length === 0
        ? ok('names are resolved as usual')
        : { status: 'warn', message: `AUTHSOME_RESOLVE is in force: ${overrides.join(', ')}` };
    }),
    check('proxy', () => {
      const upstream = proxies.https ?? proxies.http;
      return ok(
        upstream === undefined
          ? 'upstream connections are direct'
          : `upstream connections go through ${upstream.protocol}://${upstream.host}:${upstream.port}`,
      );
    }),
    check('clock', () => {
      const nowMs = options.nowMs();
      const driftMs = Math.abs(nowMs - options.monotonicMs() - options.clockOffsetMs);
      if (nowMs < earliestMs) {
        return { status: 'fail', message: 'the clock is years behind', fix: 'Set the clock.' };
      }
      return driftMs <= clockToleranceMs
        ? ok('the clock runs evenly')
        : {
            status: 'warn',
            message: `the clock was moved by ${Math.round(driftMs / 1000)} s since the daemon started`,
            fix: 'authsome daemon restart',
          };
    }),
  ];
}

function ok(message: string): Finding {
  return { status: 'ok', message };
}

/** A person's definition that cannot be read is refused alone: the others go on working. */
async function providersFinding(catalog: Catalog, depth: Depth): Promise<Finding> {
  if (depth === 'thorough') await catalog.reload();
  const [problem] = catalog.problems;
  if (problem === undefined) return ok(`${catalog.list().length} providers are defined`);
  const { message, hint } = problem.error;
  return { status: 'warn', message, fix: hint };
}

/** Those that only a person can mend. */
async function connectionsFinding(tenants: readonly Tenant[]): Promise<Finding> {
  const all = await Promise.all(
    tenants.map(async ({ connections }) =>
      (await connections.summaries()).map((summary) => ({
        ...summary,
        line: connections.signInAgain(summary),
      })),
    ),
  );
  const over = all.flat().filter(({ status, refreshable }) => status !== 'connected' && !refreshable);
  const [first] = over;
  if (first === undefined) return ok('no connection needs a new sign-in');
  return {
    status: 'warn',
    message: `needs a new sign-in: ${over.map(({ provider, name, status }) => `${provider}/${name} (${status})`).join(', ')}`,
    fix: first.line,
  };
}

async function databaseFinding(storage: Storage, depth: Depth): Promise<Finding> {
  if (depth === 'glance') {
    await storage.ping();
    return ok('the database answers');
  }
  return (await storage.isSound())
    ? ok('the database is sound')
    : {
        status: 'fail',
        message: `the database is damaged: ${storage.location}`,
        fix: `authsome daemon stop, then put ${storage.location} back from a backup`,
      };
}

async function keychainFinding(keychain: Keychain, settings: Settings, home: Home): Promise<Finding> {
  if (settings.masterKey !== undefined) return ok('not used: AUTHSOME_MASTER_KEY is set');
  if (settings.masterKeyFile !== undefined) return ok('not used: AUTHSOME_MASTER_KEY_FILE is set');
  try {
    const key = await keychain.read();
    return ok(
      key === undefined ? 'the keychain answers, and holds no key of this home' : 'the keychain answers',
    );
  } catch {
    const message = existsSync(home.masterKeyFile)
      ? `there is no keychain; the key is in ${home.masterKeyFile}`
      : 'there is no keychain';
    return ok(message);
  }
}
