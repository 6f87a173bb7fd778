import { AuthsomeError } from '../errors.ts';
import type { Catalog } from '../providers/index.ts';
import type { Principal } from './principals.ts';

/** The home's catalog as a principal may use it: definitions say where credentials go, so only an admin changes them. */
export function catalogFor({ role }: Principal, catalog: Catalog): Catalog {
  if (role === 'admin') return catalog;
  const refuse = (): never => {
    throw new AuthsomeError('OperationNotAllowed', 'only an admin may define or remove a provider', {
      hint: 'Ask an admin of this daemon to do it. Your role: authsome whoami',
    });
  };
  return {
    find: (name, options) => catalog.find(name, options),
    resolve: (name, baseUrl) => catalog.resolve(name, baseUrl),
    list: () => catalog.list(),
    capturing: () => catalog.capturing(),
    get problems() {
      return catalog.problems;
    },
    review: refuse,
    add: async () => refuse(),
    removal: refuse,
    remove: async () => refuse(),
    reload: () => catalog.reload(),
  };
}
