import type { Environment } from '../environment.ts';
import { isKeyLike, isPhantom, isPlaceholder, type KeyPattern, ownerByHost, ownerOf } from './key-pattern.ts';
import type { Reader } from './readers/index.ts';
import { looksSecret } from './suspicion.ts';
import type { Assignment } from './syntax/index.ts';

/** A plaintext secret that was found. Contains the value: show only `place` and `variable`. */
export interface Match {
  readonly provider: KeyPattern;
  /** Other providers whose key it could be equally well. */
  readonly alternatives: readonly KeyPattern[];
  readonly variable: string;
  readonly value: string;
  /** `undefined` for the environment. */
  readonly place: Place | undefined;
}

interface Place {
  /** As a person would name it. */
  readonly file: string;
  readonly reader: Reader;
  readonly assignment: Assignment;
}

/** What looks like a secret and is no provider's. It is named, and stays where it is: nothing here has its value. */
export interface Unclaimed {
  readonly variable: string;
  /** `undefined` for the environment. */
  readonly place: { readonly file: string; readonly line: number } | undefined;
}

export interface Matches {
  readonly matches: readonly Match[];
  readonly unclaimed: readonly Unclaimed[];
}

/** The secrets among a file's assignments, in their order. */
export function matchesInFile(
  source: { readonly file: string; readonly reader: Reader },
  assignments: readonly Assignment[],
  patterns: readonly KeyPattern[],
): Matches {
  const matches: Match[] = [];
  const unclaimed: Unclaimed[] = [];
  for (const assignment of assignments) {
    const { name, isReference, isSecret, agent, line } = assignment;
    const value = assignment.value.trim();
    if (isReference || isPhantom(value)) continue;
    const ownership =
      agent === undefined ? ownershipOf(assignment, value, patterns) : ownershipOfAgent(agent, patterns);
    if (ownership !== undefined) {
      const { owner: provider, alternatives } = ownership;
      matches.push({ provider, alternatives, variable: name, value, place: { ...source, assignment } });
    } else if (isSecret === true ? value !== '' && !isPlaceholder(value) : looksSecret(name, value)) {
      unclaimed.push({ variable: name, place: { file: source.file, line } });
    }
  }
  return { matches, unclaimed };
}

/** The secrets in an environment, by the variables' names. */
export function matchesInEnvironment(environment: Environment, patterns: readonly KeyPattern[]): Matches {
  const matches: Match[] = [];
  const unclaimed: Unclaimed[] = [];
  for (const variable of Object.keys(environment).sort()) {
    if (variable.startsWith('AUTHSOME_')) continue;
    const value = (environment[variable] ?? '').trim();
    if (!isKeyLike(value) || isPhantom(value)) continue;
    const ownership = ownerOf(variable, value, patterns);
    if (ownership !== undefined) {
      const { owner: provider, alternatives } = ownership;
      matches.push({ provider, alternatives, variable, value, place: undefined });
    } else if (looksSecret(variable, value)) {
      unclaimed.push({ variable, place: undefined });
    }
  }
  return { matches, unclaimed };
}

/** A token of an agent's own sign-in is that agent's, whatever it looks like. */
function ownershipOfAgent(agent: string, patterns: readonly KeyPattern[]) {
  const owner = patterns.find(({ provider }) => provider === agent);
  return owner === undefined ? undefined : { owner, alternatives: [] };
}

function ownershipOf({ name, host }: Assignment, value: string, patterns: readonly KeyPattern[]) {
  if (!isKeyLike(value)) return undefined;
  return host === undefined ? ownerOf(name, value, patterns) : ownerByHost(host, value, patterns);
}
