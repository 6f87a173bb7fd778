import { type ObservedTrail, observeTrail, openAuditTrail, Strangers } from '../audit/index.ts';
import { Principals } from '../principals/index.ts';
import { type Catalog, createCatalog, loadBundled, openDefinitionFolder } from '../providers/index.ts';
import { openStorage, type Storage } from '../storage/index.ts';
import { type Keychain, systemKeychain } from '../vault/index.ts';
import type { Closers } from './closers.ts';
import type { StartOptions } from './contract.ts';
import { type LiveRules, ruleCountText, watchRules } from './rules.ts';

/** What the daemon reads and writes in its home. */
export interface Stores {
  readonly storage: Storage;
  readonly trail: ObservedTrail;
  readonly strangers: Strangers;
  readonly principals: Principals;
  readonly catalog: Catalog;
  readonly keychain: Keychain;
  readonly rules: LiveRules;
}

/** Older events are sealed into segment files under `logs/`: some 50 MB stay in the database. */
const keptAuditEvents = 100_000;

/** Opens the stores of a home, and adds each to `closers` as it opens. */
export async function openStores(options: StartOptions, closers: Closers): Promise<Stores> {
  const { home, environment, nowMs, randomBytes } = options;
  const storage = await openStorage(home.databaseFile);
  closers.add(() => storage.close());
  // This process has the home's lock, so a lease can only be left from a daemon that was killed during a refresh.
  await storage.leases.freeAll();
  const archive = { directory: home.logs, keptEvents: keptAuditEvents };
  const trail = observeTrail(openAuditTrail({ table: storage.audit, nowMs, randomBytes, archive }));
  closers.add(() => trail.flush());
  const strangers = new Strangers({ append: (event) => trail.append(event) });
  closers.add(() => strangers.flush());
  const principals = new Principals({
    table: storage.principals,
    nowMs,
    randomBytes,
    onAdmitted: ({ handle, did }) =>
      trail.append({ event: 'identity.admitted', identity: handle, outcome: 'ok', detail: did }),
    onRefused: ({ handle, did }) =>
      trail.append({
        event: 'identity.refused',
        identity: handle,
        outcome: 'IdentityNotAllowed',
        detail: did,
      }),
  });
  const catalog = await createCatalog({
    bundled: await loadBundled(),
    custom: openDefinitionFolder(home.providers),
  });
  const keychain = systemKeychain({ account: home.path, environment: { ...environment } });
  const rules = watchRules(home.configFile);
  closers.add(() => rules.close());
  rules.onChange(({ ruleCount, problem }) =>
    trail.append({
      event: 'rules.changed',
      outcome: problem?.code ?? 'ok',
      detail: problem?.message ?? ruleCountText(ruleCount),
    }),
  );
  return { storage, trail, strangers, principals, catalog, keychain, rules };
}
