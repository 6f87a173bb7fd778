import { shellWord, signInLine } from '../command-line.ts';
import type { ConnectionSummary } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import { type ApprovedHosts, settableFault } from '../providers/index.ts';

/** A connection that a run may use. */
export interface Selected {
  readonly provider: string;
  readonly connection: string;
  readonly baseUrl: string | undefined;
  readonly approved: ApprovedHosts | undefined;
  /** Whether another connection is the one that requests to the provider use: this one takes its own phantom. */
  readonly isFurther?: boolean;
  /** Variables that a person chose for its phantom, besides those of the definition. */
  readonly variables?: readonly string[];
}

/** `--connection PROVIDER=NAME[:VARIABLE]`. */
export interface NamedConnection {
  readonly provider: string;
  readonly connection: string;
  /** Gets the connection's phantom. */
  readonly variable?: string | undefined;
}

export interface SelectionRequest {
  /** `provider` or `provider/connection`; empty for every provider's default connection. */
  readonly providers: readonly string[];
  /** provider → connection. */
  readonly connections: Readonly<Record<string, string>>;
  /** More connections, also of the same providers, and those with a variable of their own. */
  readonly further?: readonly NamedConnection[] | undefined;
  /** The providers are all that the run may have, even if none is named. */
  readonly isFixed?: boolean;
}

/** What is asked of one provider. */
interface Wish {
  /** The provider alone was named, too. */
  isBare: boolean;
  /** Without a variable, in their order. */
  readonly plain: string[];
  readonly withVariable: { readonly connection: string; readonly variable: string }[];
}

/**
 * The connections of each provider that the request names, or the default ones of all that are connected. The first of a
 * provider is the one that its requests use: the first that was named without a variable, else the person's default where
 * the provider is named, too, else the first that was named. Throws `ConnectionNotFound`, or `Usage` for a variable that no
 * secret can have or that two connections share. `requireProvider` throws for a provider that nobody defines.
 */
export function selectConnections(
  request: SelectionRequest,
  stored: readonly ConnectionSummary[],
  requireProvider: (name: string) => { readonly capture?: unknown } | undefined,
): readonly Selected[] {
  const { providers, connections, further = [], isFixed } = request;
  const wishes = new Map<string, Wish>();
  const wishFor = (provider: string): Wish => {
    const wish = wishes.get(provider) ?? { isBare: false, plain: [], withVariable: [] };
    wishes.set(provider, wish);
    return wish;
  };
  for (const name of providers) {
    const slash = name.indexOf('/');
    if (slash < 0) wishFor(name).isBare = true;
    else wishFor(name.slice(0, slash)).plain.push(name.slice(slash + 1));
  }
  for (const [provider, connection] of Object.entries(connections)) wishFor(provider).plain.push(connection);
  requireDistinctVariables(further);
  for (const { provider, connection, variable } of further) {
    if (variable === undefined) wishFor(provider).plain.push(connection);
    else wishFor(provider).withVariable.push({ connection, variable });
  }
  const signingIn = new Set<string>();
  for (const provider of wishes.keys()) {
    const isThere = stored.some((one) => one.provider === provider);
    // Its program may sign in within the run.
    if (requireProvider(provider)?.capture !== undefined && !isThere) signingIn.add(provider);
  }
  if (providers.length === 0 && isFixed !== true) {
    for (const { provider, isDefault } of stored) if (isDefault) wishFor(provider);
  }
  return [...wishes].flatMap(([provider, wish]) =>
    signingIn.has(provider) ? [] : selectedBy(provider, wish, stored),
  );
}

function selectedBy(
  provider: string,
  { isBare, plain, withVariable }: Wish,
  stored: readonly ConnectionSummary[],
): readonly Selected[] {
  const named = [...plain, ...withVariable.map(({ connection }) => connection)];
  const isPersonsDefault = plain.length === 0 && (isBare || named.length === 0);
  const found = (isPersonsDefault ? [undefined, ...named] : named).map((name) =>
    find(provider, name, stored),
  );
  const distinct = found.filter(
    ({ connection }, index) => found.findIndex((other) => other.connection === connection) === index,
  );
  return distinct.map((selected, index) => {
    const variables = withVariable
      .filter(({ connection }) => connection === selected.connection)
      .map(({ variable }) => variable);
    return {
      ...selected,
      ...(index === 0 ? {} : { isFurther: true }),
      ...(variables.length === 0 ? {} : { variables }),
    };
  });
}

function requireDistinctVariables(further: readonly NamedConnection[]): void {
  const owners = new Map<string, string>();
  for (const { provider, connection, variable } of further) {
    if (variable === undefined) continue;
    const key = `${provider}/${connection}`;
    const fault = settableFault(variable, provider);
    if (fault !== undefined) {
      throw new AuthsomeError('Usage', `${variable} cannot hold the phantom of ${key}: it ${fault}`, {
        hint: `For example: authsome run --connection ${shellWord(`${provider}=${connection}:${exampleFor(connection)}`)} -- <command>`,
      });
    }
    const owner = owners.get(variable);
    if (owner !== undefined && owner !== key) {
      throw new AuthsomeError('Usage', `${variable} is named for two connections: ${owner} and ${key}`, {
        hint: 'Give each connection a variable of its own.',
      });
    }
    owners.set(variable, key);
  }
}

function exampleFor(connection: string): string {
  return `${connection.toUpperCase().replace(/[^A-Z0-9]/g, '_')}_TOKEN`;
}

function find(
  provider: string,
  connection: string | undefined,
  stored: readonly ConnectionSummary[],
): Selected {
  const ofProvider = stored.filter((candidate) => candidate.provider === provider);
  const found = ofProvider.find((candidate) =>
    connection === undefined ? candidate.isDefault : candidate.name === connection,
  );
  if (found !== undefined) return selectedOf(found);
  const others = ofProvider.map(({ name }) => name).join(', ');
  throw new AuthsomeError(
    'ConnectionNotFound',
    connection === undefined
      ? `there is no connection to ${provider}`
      : `there is no connection ${provider}/${connection}`,
    {
      hint: `${others === '' ? '' : `Available: ${others}. `}Sign in with: ${signInLine({ provider, connection })}`,
    },
  );
}

/**
 * The connections of a live run after a change: the current selection, and those that it had before. An earlier default keeps
 * its own phantom, so that what holds it goes on with that connection. Of a provider that now has none, the routes stay, so
 * that a request is refused and explained, not passed on with its phantom.
 */
export function reselectConnections(
  request: SelectionRequest,
  earlier: readonly Selected[],
  stored: readonly ConnectionSummary[],
): readonly Selected[] {
  const isNamed = request.providers.length > 0 || request.isFixed === true;
  const named = new Set([
    ...Object.keys(request.connections),
    ...(request.further ?? []).map(({ provider }) => provider),
  ]);
  const kept = earlier.flatMap((selected) => {
    const summary = stored.find(
      ({ provider, name }) => provider === selected.provider && name === selected.connection,
    );
    return summary === undefined ? [] : [{ ...selected, ...selectedOf(summary) }];
  });
  const followed = isNamed
    ? []
    : stored
        .filter(({ provider, isDefault }) => isDefault && !named.has(provider))
        .map((summary) => kept.find((selected) => isOf(selected, summary)) ?? selectedOf(summary));
  const others = kept.filter((selected) => !followed.includes(selected));
  // A sign-in within the run has brought it.
  const brought = stored.filter(
    (summary) =>
      !earlier.some(({ provider }) => provider === summary.provider) && isAskedFor(request, summary),
  );
  // Of each provider, its default first: the one that is followed, else the one that it was.
  const current = [
    ...followed,
    ...brought.map(selectedOf),
    ...others.toSorted((one, other) => rankOf(one) - rankOf(other)),
  ];
  const firsts = new Map<string, Selected>();
  for (const selected of current) if (!firsts.has(selected.provider)) firsts.set(selected.provider, selected);
  const lost = earlier.filter(({ provider }) => !firsts.has(provider));
  return [
    ...current.map(({ isFurther: _, ...selected }) =>
      firsts.get(selected.provider)?.connection === selected.connection
        ? selected
        : { ...selected, isFurther: true },
    ),
    ...lost,
  ];
}

function rankOf({ isFurther }: Selected): number {
  return isFurther === true ? 1 : 0;
}

function isOf(selected: Selected, { provider, name }: ConnectionSummary): boolean {
  return selected.provider === provider && selected.connection === name;
}

function isAskedFor(
  { providers, connections }: SelectionRequest,
  { provider, name, isDefault }: ConnectionSummary,
): boolean {
  if (Object.hasOwn(connections, provider)) return connections[provider] === name;
  return providers.includes(`${provider}/${name}`) || (isDefault && providers.includes(provider));
}

function selectedOf({ provider, name, baseUrl, approved }: ConnectionSummary): Selected {
  return { provider, connection: name, baseUrl, approved };
}
