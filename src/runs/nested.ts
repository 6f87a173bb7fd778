import { askPerson, shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import type { Selected, SelectionRequest } from './selection.ts';

/** The runs around a new one, as far as they limit it. */
export interface OuterRuns {
  /** The innermost of them. */
  readonly id: string;
  readonly isTrusted: boolean;
  /** The connections that all of them have. */
  readonly selected: readonly Selected[];
}

/**
 * What a nested run asks for: the outer one's connections that still exist, or one of them where it names a provider only. A
 * sign-in that comes later adds nothing.
 */
export function nestedRequest(
  { providers, connections, further }: SelectionRequest,
  { selected }: OuterRuns,
  stored: readonly { readonly provider: string; readonly name: string }[],
): SelectionRequest {
  const existing = selected.filter((has) =>
    stored.some(({ provider, name }) => provider === has.provider && name === has.connection),
  );
  const isNamed = (provider: string): boolean => Object.hasOwn(connections, provider);
  const explicit =
    providers.length === 0
      ? existing.map((has) => (isNamed(has.provider) ? has.provider : keyOf(has)))
      : providers.map((name) => {
          const has = isNamed(name) ? undefined : existing.find(({ provider }) => provider === name);
          return has === undefined ? name : keyOf(has);
        });
  return { providers: explicit, connections, further, isFixed: true };
}

/** Throws `DeniedInRun` for a connection that an outer run does not have. A trusted one may give it all the same. */
export function requireWithin(
  selected: readonly Selected[],
  { isTrusted, selected: allowed }: OuterRuns,
  command: string,
): void {
  if (isTrusted) return;
  const added = selected.filter((wanted) => !allowed.some((has) => isSame(has, wanted))).map(keyOf);
  if (added.length === 0) return;
  throw new AuthsomeError(
    'DeniedInRun',
    `not from inside a run: using ${added.join(', ')}, which the run around it does not have`,
    {
      hint: askPerson(
        `authsome run ${added.map((key) => `-p ${shellWord(key)}`).join(' ')} -- ${shellWord(command)}`,
      ),
    },
  );
}

/** What every one of these has. */
export function inAll(selections: readonly (readonly Selected[])[]): readonly Selected[] {
  const [first = [], ...others] = selections;
  return first.filter((wanted) => others.every((other) => other.some((has) => isSame(has, wanted))));
}

function isSame(one: Selected, other: Selected): boolean {
  return one.provider === other.provider && one.connection === other.connection;
}

function keyOf({ provider, connection }: Selected): string {
  return `${provider}/${connection}`;
}
