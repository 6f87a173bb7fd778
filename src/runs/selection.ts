import { signInLine } from '../command-line.ts';
import type { ConnectionSummary } from '../connections/index.ts';
import { AuthsomeError } from '../errors.ts';
import type { ApprovedHosts } from '../providers/index.ts';

/** One provider's connection that a run may use. */
export interface Selected {
  readonly provider: string;
  readonly connection: string;
  readonly baseUrl: string | undefined;
  readonly approved: ApprovedHosts | undefined;
}

export interface SelectionRequest {
  /** `provider` or `provider/connection`; empty for every provider's default connection. */
  readonly providers: readonly string[];
  /** provider → connection. */
  readonly connections: Readonly<Record<string, string>>;
  /** The providers are all that the run may have, even if none is named. */
  readonly isFixed?: boolean;
}

/**
 * One connection for each provider that the request names, or for all that are connected. Throws `ConnectionNotFound`, or
 * `Usage` for two connections of one provider. `requireProvider` throws for a provider that nobody defines.
 */
export function selectConnections(
  request: SelectionRequest,
  stored: readonly ConnectionSummary[],
  requireProvider: (name: string) => unknown,
): readonly Selected[] {
  const wanted = new Map<string, string | undefined>();
  const want = (provider: string, connection: string | undefined): void => {
    const earlier = wanted.get(provider);
    if (earlier !== undefined && connection !== undefined && earlier !== connection) {
      throw new AuthsomeError(
        'Usage',
        `you asked for two ${provider} connections: ${earlier} and ${connection}`,
        { hint: 'A run uses one connection per provider. Start a second run for the other.' },
      );
    }
    wanted.set(provider, connection ?? earlier);
  };
  for (const name of request.providers) {
    const slash = name.indexOf('/');
    if (slash < 0) want(name, undefined);
    else want(name.slice(0, slash), name.slice(slash + 1));
  }
  for (const [provider, connection] of Object.entries(request.connections)) want(provider, connection);
  for (const provider of wanted.keys()) requireProvider(provider);
  if (request.providers.length === 0 && request.isFixed !== true) {
    for (const { provider, isDefault } of stored) if (isDefault) want(provider, undefined);
  }
  return [...wanted].map(([provider, connection]) => find(provider, connection, stored));
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
 * The connections of a live run after a change: the current selection, and the earlier ones of providers that now have none.
 * Their routes stay, so that a request for them is refused and explained, not passed on with its phantom.
 */
export function reselectConnections(
  request: SelectionRequest,
  earlier: readonly Selected[],
  stored: readonly ConnectionSummary[],
): readonly Selected[] {
  const isNamed = request.providers.length > 0 || request.isFixed === true;
  const current = stored.filter(({ provider, name, isDefault }) => {
    if (!isNamed && !Object.hasOwn(request.connections, provider)) return isDefault;
    return earlier.some((selected) => selected.provider === provider && selected.connection === name);
  });
  const lost = earlier.filter(({ provider }) => !current.some((selected) => selected.provider === provider));
  return [...current.map(selectedOf), ...lost];
}

function selectedOf({ provider, name, baseUrl, approved }: ConnectionSummary): Selected {
  return { provider, connection: name, baseUrl, approved };
}
