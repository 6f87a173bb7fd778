import type { InjectedFields } from './injection.ts';
import { placeParameter, removeParameter } from './query.ts';
import type { ForwardTarget } from './target.ts';

/** The path and query as the upstream gets them. */
export function writtenTarget(target: ForwardTarget, injected: InjectedFields | undefined): string {
  let { query } = target;
  if (injected === undefined) return `${target.path}${query}`;
  for (const name of injected.removedParameters) query = removeParameter(query, name);
  for (const { name, encoded } of injected.parameters) query = placeParameter(query, name, encoded);
  return `${injected.path ?? target.path}${query}`;
}
