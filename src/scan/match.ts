import type { Environment } from '../environment.ts';
import type { Assignment } from './assignment.ts';
import { isKeyLike, isPhantom, type KeyPattern, ownerOf } from './key-pattern.ts';

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
  readonly assignment: Assignment;
}

/** The secrets among a file's assignments, in their order. */
export function matchesInFile(
  file: string,
  assignments: readonly Assignment[],
  patterns: readonly KeyPattern[],
): readonly Match[] {
  return assignments.flatMap((assignment) => {
    const { name, value, isReference } = assignment;
    return isReference ? [] : matchOf(name, value, { file, assignment }, patterns);
  });
}

/** The secrets in an environment, by the variables' names. */
export function matchesInEnvironment(
  environment: Environment,
  patterns: readonly KeyPattern[],
): readonly Match[] {
  return Object.keys(environment)
    .filter((name) => !name.startsWith('AUTHSOME_'))
    .sort()
    .flatMap((name) => matchOf(name, environment[name] ?? '', undefined, patterns));
}

function matchOf(
  variable: string,
  written: string,
  place: Place | undefined,
  patterns: readonly KeyPattern[],
): readonly Match[] {
  const value = written.trim();
  if (!isKeyLike(value) || isPhantom(value)) return [];
  const ownership = ownerOf(variable, value, patterns);
  if (ownership === undefined) return [];
  return [{ provider: ownership.owner, alternatives: ownership.alternatives, variable, value, place }];
}
