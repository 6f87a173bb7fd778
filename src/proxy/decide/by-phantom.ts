import type { PlacedPhantom } from '../phantoms/index.ts';
import {
  type Decision,
  type DecisionInput,
  decideOn,
  type Matching,
  type Refusal,
  type RequestFacts,
} from './decision.ts';
import { phantomMisplaced } from './misplaced.ts';
import { takesPhantom } from './own-places.ts';

/**
 * Whether this request gets a credential, passes without one, or is refused. A phantom in a place of its own connection
 * chooses that connection, also among several of one provider; any other phantom is refused.
 */
export function decide(input: DecisionInput, facts: RequestFacts): Decision {
  if (facts.phantoms === undefined) return decideOn(input, facts, input);
  const { phantoms } = facts;
  const first = phantoms[0];
  if (first === undefined) return decideOn(input, facts, input);
  const chosen = matchingOf(input, facts, first);
  if ('kind' in chosen) return chosen;
  for (let index = 1; index < phantoms.length; index += 1) {
    const other = phantoms[index] as PlacedPhantom;
    const also = matchingOf(input, facts, other);
    if ('kind' in also) return also;
    if (also.phantom !== chosen.phantom) {
      return phantomMisplaced(other, { kind: 'second', first: first.phantom.connection });
    }
  }
  return decideOn(input, facts, chosen);
}

/** The routes that the phantom chooses, or the refusal where it may not be in this place of this request. */
function matchingOf(
  { routes: table }: DecisionInput,
  { host, port, path, sentPath = path }: RequestFacts,
  placed: PlacedPhantom,
): Matching | Refusal {
  const { connection, isInRun } = placed.phantom;
  const routes = table.forConnection(connection);
  if (routes === undefined) return phantomMisplaced(placed, { kind: 'not-in-run' });
  if (!isInRun) return phantomMisplaced(placed, { kind: 'retired' });
  if (!routes.hasHost(host, port)) return phantomMisplaced(placed, { kind: 'other-host', host });
  const chosen = { routes, phantom: connection };
  const match = routes.match(host, port, path);
  switch (match.kind) {
    case 'none':
      return phantomMisplaced(placed, { kind: 'other-path' }, match.considered);
    case 'route': {
      const { route, considered } = match;
      return takesPhantom(route, placed.place, sentPath)
        ? chosen
        : phantomMisplaced(placed, { kind: 'other-place', route }, considered);
    }
    default:
      // Refused anyway, for what is wrong with the path or the host.
      return path === '*' ? phantomMisplaced(placed, { kind: 'other-path' }, match.considered) : chosen;
  }
}
