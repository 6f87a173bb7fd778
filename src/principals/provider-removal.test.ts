import { expect, it } from 'vitest';
import type { RevokeReport } from '../connections/index.ts';
import type { Caller, Principal } from './principals.ts';
import { removeProvider } from './provider-removal.ts';
import type { Tenant, Tenants } from './tenants.ts';

const principal: Principal = { id: 'prn_1', role: 'admin', vaultId: 'vlt_1' };
const caller: Caller = { did: 'did:key:z', handle: 'me', principal };

/** Vaults with these connections to `acme`, and what was done to them, in order. */
function home(vaults: readonly (readonly string[])[], outcome: 'removed' | 'reset' | undefined) {
  const done: string[] = [];
  const catalog = {
    removal: () => outcome,
    resolve: () => ({}),
    remove: async (name: string) => void done.push(`remove ${name}`),
  };
  const all = vaults.map((names, index) => {
    const left = [...names];
    const connections = {
      summaries: async () => left.map((name) => ({ name })),
      forget: async (provider: string): Promise<RevokeReport> => {
        const gone = left.splice(0);
        for (const name of gone) done.push(`forget ${name} of vault ${index}`);
        const remote = Object.fromEntries(gone.map((name) => [name, 'revoked' as const]));
        return { provider, connections: gone, remote, clientCleared: false };
      },
    };
    return { catalog, connections } as unknown as Tenant;
  });
  const tenants = { of: async () => all[0] as Tenant, openAll: async () => all };
  return { tenants: tenants as Pick<Tenants, 'of' | 'openAll'>, done };
}

it('removes no provider that any vault has connections to, unless they go along', async () => {
  const { tenants, done } = home([['default'], ['work']], 'removed');
  const refused = removeProvider(tenants, caller, 'acme', { withConnections: false });
  await expect(refused).rejects.toMatchObject({
    code: 'ProviderInUse',
    message: 'acme has connections: default, work',
  });
  expect(done).toEqual([]);
});

it('revokes them first, so that a removal that was interrupted can be repeated', async () => {
  const { tenants, done } = home([['default'], []], 'removed');
  const { outcome, ended } = await removeProvider(tenants, caller, 'acme', { withConnections: true });
  expect(outcome).toBe('removed');
  expect(ended).toMatchObject([{ connections: ['default'] }]);
  expect(done).toEqual(['forget default of vault 0', 'remove acme']);
});

it('keeps the connections where the bundled definition takes its place', async () => {
  const { tenants, done } = home([['default']], 'reset');
  const removal = await removeProvider(tenants, caller, 'acme', { withConnections: true });
  expect(removal).toEqual({ outcome: 'reset', ended: [] });
  expect(done).toEqual(['remove acme']);
});

it('removes no bundled provider', async () => {
  const { tenants, done } = home([['default']], undefined);
  const refused = removeProvider(tenants, caller, 'acme', { withConnections: true });
  await expect(refused).rejects.toMatchObject({ code: 'OperationNotAllowed' });
  expect(done).toEqual([]);
});
