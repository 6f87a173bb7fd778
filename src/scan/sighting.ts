import type { Environment } from '../environment.ts';
import type { Assignment } from './assignment.ts';
import { isKeyLike, isPhantom, ownerOf, type Watched } from './watched.ts';

/** A secret where it should not be. Holds the value: show `place` and `variable` only. */
export interface Sighting {
  readonly provider: Watched;
  /** Other providers that it could belong to just as well. */
  readonly rivals: readonly Watched[];
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
export function sightingsInFile(
  file: string,
  assignments: readonly Assignment[],
  watched: readonly Watched[],
): readonly Sighting[] {
  return assignments.flatMap((assignment) => {
    const { name, value, isReference } = assignment;
    return isReference ? [] : sightingOf(name, value, { file, assignment }, watched);
  });
}

/** The secrets in an environment, by the variables' names. */
export function sightingsInEnvironment(
  environment: Environment,
  watched: readonly Watched[],
): readonly Sighting[] {
  return Object.keys(environment)
    .filter((name) => !name.startsWith('AUTHSOME_'))
    .sort()
    .flatMap((name) => sightingOf(name, environment[name] ?? '', undefined, watched));
}

function sightingOf(
  variable: string,
  written: string,
  place: Place | undefined,
  watched: readonly Watched[],
): readonly Sighting[] {
  const value = written.trim();
  if (!isKeyLike(value) || isPhantom(value)) return [];
  const ownership = ownerOf(variable, value, watched);
  if (ownership === undefined) return [];
  return [{ provider: ownership.owner, rivals: ownership.rivals, variable, value, place }];
}
