import { AuthsomeError } from '../errors.ts';
import type { Provider } from '../providers/index.ts';
import type { ProviderCatalog } from './ports.ts';

/** The definition by that name, at that base URL. ProviderNotFound, with the name that was probably meant. */
export function requireProvider(
  catalog: ProviderCatalog,
  name: string,
  baseUrl: string | undefined,
): Provider {
  const found = catalog.find(name, baseUrl === undefined ? {} : { baseUrl });
  if (found !== undefined) return found;
  const meant = catalog.suggest(name);
  throw new AuthsomeError('ProviderNotFound', `no provider is named ${JSON.stringify(name)}`, {
    hint:
      meant === undefined ? 'Run: authsome list --all' : `Did you mean ${meant}? See: authsome list --all`,
  });
}
