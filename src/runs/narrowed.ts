import type { Selected, SelectionRequest } from './selection.ts';

/** provider → connection. `true`: the one that the run has anyway. */
export type ByProvider = Readonly<Record<string, string | true>>;

/** The request with a person's defaults for the providers that it selects without saying which connection. */
export function withDefaults(request: SelectionRequest, defaults: ByProvider | undefined): SelectionRequest {
  if (defaults === undefined) return request;
  const { providers, connections } = request;
  const said = connectionsSaid(request);
  const added = Object.entries(defaults).filter(
    ([provider, name]) =>
      name !== true && !said.has(provider) && (providers.length === 0 || providers.includes(provider)),
  );
  return {
    ...request,
    connections: { ...(Object.fromEntries(added) as Record<string, string>), ...connections },
  };
}

export interface Narrowed {
  readonly selected: readonly Selected[];
  /** What was listed, but is not there to be kept. */
  readonly notGiven: readonly string[];
}

/**
 * What is left of a selection when a project lists what it uses. It takes away and adds nothing. Providers that the request
 * names are not its business.
 */
export function narrowed(
  selected: readonly Selected[],
  request: SelectionRequest,
  listed: ByProvider,
): Narrowed {
  const named = new Set([...request.providers.map(providerIn), ...connectionsSaid(request)]);
  const isListed = ({ provider, connection }: Selected): boolean => {
    const name = Object.hasOwn(listed, provider) ? listed[provider] : undefined;
    return name === true || name === connection;
  };
  const kept = selected.filter((each) => named.has(each.provider) || isListed(each));
  const has = (provider: string): boolean => kept.some((each) => each.provider === provider);
  return {
    selected: kept.map((each, index) => {
      const isFirst = kept.findIndex(({ provider }) => provider === each.provider) === index;
      const { isFurther: _, ...first } = each;
      return isFirst ? first : each;
    }),
    notGiven: Object.entries(listed)
      .filter(([provider]) => !has(provider))
      .map(([provider, name]) => (name === true ? provider : `${provider}/${name}`)),
  };
}

/** The providers of which the request says which connection. */
function connectionsSaid({ providers, connections, further = [] }: SelectionRequest): ReadonlySet<string> {
  return new Set([
    ...providers.filter((name) => name.includes('/')).map(providerIn),
    ...Object.keys(connections),
    ...further.map(({ provider }) => provider),
  ]);
}

function providerIn(name: string): string {
  return name.split('/', 1)[0] ?? name;
}
