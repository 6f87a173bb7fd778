import { expect, it } from 'vitest';
import type { Catalog } from '../providers/index.ts';
import { catalogFor } from './tenant-catalog.ts';

function recorded() {
  const calls: string[] = [];
  const catalog = {
    find: (name: string) => void calls.push(`find ${name}`),
    add: async () => void calls.push('add'),
    removal: () => void calls.push('removal'),
    remove: async () => void calls.push('remove'),
    reload: async () => void calls.push('reload'),
    problems: [],
  } as unknown as Catalog;
  return { calls, catalog };
}

it('lets a user read definitions, and store or remove none, by whatever call or sign-in', async () => {
  const { calls, catalog } = recorded();
  const own = catalogFor({ id: 'prn_2', role: 'user', vaultId: 'vlt_2' }, catalog);
  own.find('github');
  await own.reload();
  expect(own.problems).toBe(catalog.problems);
  await expect(own.add({}, { replace: true })).rejects.toMatchObject({ code: 'OperationNotAllowed' });
  expect(() => own.removal('github')).toThrow(expect.objectContaining({ code: 'OperationNotAllowed' }));
  await expect(own.remove('github')).rejects.toMatchObject({ code: 'OperationNotAllowed' });
  expect(calls).toEqual(['find github', 'reload']);
});

it('gives an admin the catalog itself', () => {
  const { catalog } = recorded();
  expect(catalogFor({ id: 'prn_1', role: 'admin', vaultId: 'vlt_1' }, catalog)).toBe(catalog);
});
