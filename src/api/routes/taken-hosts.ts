import type { Tenant } from '../../principals/index.ts';
import { ownerOfHostIn, type Provider } from '../../providers/index.ts';

/**
 * The provider whose host this one covers, too: a bundled one, or one that has a connection. From then on a request there
 * would be ambiguous, and refused, in every run that names neither of the two.
 */
export async function takenFrom(
  { catalog, connections }: Pick<Tenant, 'catalog' | 'connections'>,
  provider: Provider,
): Promise<string | undefined> {
  const malformed = new Set(catalog.problems.map(({ name }) => name));
  const connected = (await connections.summaries())
    .filter((each) => !malformed.has(each.provider) && catalog.find(each.provider) !== undefined)
    .map((each) => catalog.resolve(each.provider, each.baseUrl));
  const bundled = catalog.list().filter(({ source }) => source === 'bundled');
  return ownerOfHostIn(provider, [...bundled, ...connected])?.name;
}
