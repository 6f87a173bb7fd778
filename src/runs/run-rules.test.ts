import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Caller, Tenant } from '../principals/index.ts';
import type { Catalog } from '../providers/index.ts';
import type { Proxy as ProxyServer } from '../proxy/index.ts';
import { RunAudits } from './run-audits.ts';
import { Runs } from './runs.ts';

it('rules that changed reach every live run, though nothing stored can be read just then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-runs-'));
  const reauthorized: string[] = [];
  const proxy = {
    openRun: async ({ id }: { readonly id: string }) => ({
      id,
      caPem: '',
      reauthorize: () => reauthorized.push(id),
      end: () => {},
    }),
  } as unknown as ProxyServer;
  const runs = new Runs({
    proxy,
    directory,
    roots: { system: () => '', of: async () => '' },
    audits: new RunAudits(),
    randomBytes: (size) => Buffer.from(Array.from({ length: size }, () => Math.floor(Math.random() * 256))),
  });
  const none: readonly never[] = [];
  let isLocked = false;
  const summaries = async (): Promise<readonly never[]> => {
    if (isLocked) throw new Error('the database is locked');
    return [];
  };
  const tenant = {
    connections: { summaries, credentials: {}, phantoms: { require: async () => {}, all: () => none } },
    policy: () => ({ allowed: true, rule: undefined, reason: '' }),
    catalog: { problems: [], capturing: () => [] } as unknown as Catalog,
    audit: { append: () => {} },
  } as unknown as Tenant;
  const caller = { handle: 'tester' } as unknown as Caller;
  const selection = { providers: [], connections: {} };
  const specification = {
    ...selection,
    command: 'agent',
    isTrusted: false,
    leaseSocket: undefined,
    caFiles: [],
  };
  const opened = [
    await runs.open(specification, caller, tenant),
    await runs.open(specification, caller, tenant),
  ];
  isLocked = true;
  await runs.rulesChanged();
  expect(reauthorized).toEqual(opened.map(({ id }) => id));
  await runs.endAll();
  rmSync(directory, { recursive: true, force: true });
});
