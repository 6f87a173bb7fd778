import { foldHeaderName, isByPhantom, type Placement } from '../../providers/index.ts';
import { fill } from '../content/index.ts';
import { composeInjection, type Fill, type InjectedFields, type Injection } from './injection.ts';
import { type PlacementWriter, writerFor } from './placement-writers.ts';
import { fitOf, type PhantomSite } from './sites.ts';

/** Where a route takes its credential. */
export interface RoutePlaces {
  /** Lists of places, of which a request uses one. The first one is the usual one. */
  readonly lists: readonly (readonly Placement[])[];
  /** Every place in which a phantom may stand, those of keys of another shape included. */
  readonly all: readonly Placement[];
}

/** One credential, ready for the requests of one route. */
export interface RouteInjection {
  /** By where phantoms of the route's connection stand in a request. Always the same object where that changes nothing. */
  at(sites: readonly PhantomSite[]): Injection;
  /** Content with the secret in these places of it. */
  readonly fill: Fill;
}

/**
 * The injection of this secret on a route, or `undefined` where its usual places cannot take it. Another list that cannot
 * take it is never used.
 */
export function compileRouteInjection(
  { lists, all }: RoutePlaces,
  secret: string,
  scrubbed = true,
): RouteInjection | undefined {
  if (secret === '') return undefined;
  const compiled = lists.map((placements, id) => compileList(placements, all, secret, id));
  const usual = compiled.find((list) => list.alwaysWrites) ?? compiled[0];
  if (usual === undefined || !usual.isWritable) return undefined;
  const withoutSites = compose(partsAt(usual, none), scrubbed);
  if (withoutSites === undefined) return undefined;
  const isFixed = compiled.length === 1 && usual.others.length === 0 && !usual.places.some(byPhantom);
  if (isFixed) return { at: () => withoutSites, fill: usual.fill };
  const known = new Map<string, Injection>();
  return {
    fill: usual.fill,
    at(sites) {
      if (sites.length === 0) return withoutSites;
      const list = bestList(compiled, sites) ?? usual;
      const parts = partsAt(list, sites);
      const key = [list, ...parts.used, ...parts.cleared].map(({ id }) => id).join();
      const injection = known.get(key) ?? compose(parts, scrubbed) ?? withoutSites;
      // An agent chooses where its phantoms are.
      if (known.size < mostKnown) known.set(key, injection);
      return withPath(injection, parts.used, sites);
    },
  };
}

/** Whether the credential can be in this place of a request whose head has no phantom. */
export function isUsable(placement: Placement): boolean {
  return !isByPhantom(placement) || placement.kind === 'body' || placement.kind === 'websocket';
}

interface CompiledList {
  readonly id: number;
  readonly places: readonly CompiledPlace[];
  readonly isWritable: boolean;
  /** It adds the credential also where there is no phantom. */
  readonly alwaysWrites: boolean;
  /** Places of other lists, and not of this one. */
  readonly others: readonly OtherPlace[];
  readonly content: readonly Placement[];
  readonly fill: Fill;
}

interface OtherPlace {
  readonly id: number;
  readonly placement: Placement;
}

interface CompiledPlace extends OtherPlace {
  readonly writer: PlacementWriter | undefined;
}

const none: readonly PhantomSite[] = [];
const mostKnown = 64;

function byPhantom({ placement }: CompiledPlace): boolean {
  return isByPhantom(placement);
}

function compileList(
  placements: readonly Placement[],
  all: readonly Placement[],
  secret: string,
  id: number,
): CompiledList {
  const places = placements.map((placement, index) => ({
    id: index,
    placement,
    writer: writerFor(placement, secret),
  }));
  const own = new Set(placements.flatMap(ownParts));
  return {
    id,
    places,
    isWritable: places.every(({ writer }) => writer !== undefined),
    alwaysWrites: !places.every(byPhantom),
    others: all
      .map((placement, index) => ({ id: places.length + index, placement }))
      .filter(({ placement }) => {
        const part = partOf(placement);
        return part !== undefined && !own.has(part);
      }),
    content: placements.filter(({ kind }) => kind === 'body' || kind === 'websocket'),
    fill: (content, values) => fill(content, values, secret),
  };
}

/** What a list writes or removes. */
function ownParts(placement: Placement): readonly string[] {
  const instead = placement.kind === 'header' ? (placement.instead ?? []) : [];
  return [partOf(placement) ?? [], instead.map(fieldPart)].flat();
}

/** The part of a request that can be taken out of it. */
function partOf(placement: Placement): string | undefined {
  if (placement.kind === 'query') return `query ${placement.name}`;
  const field = fieldOf(placement);
  return field === undefined ? undefined : fieldPart(field);
}

function fieldPart(name: string): string {
  return `field ${foldHeaderName(name)}`;
}

function fieldOf(placement: Placement): string | undefined {
  if (placement.kind === 'basic') return 'Authorization';
  return placement.kind === 'header' ? placement.name : undefined;
}

/** The list in whose places a phantom fits best; the first of several; `undefined` where none does. */
function bestList(lists: readonly CompiledList[], sites: readonly PhantomSite[]): CompiledList | undefined {
  let best: CompiledList | undefined;
  let bestFit = 0;
  for (const list of lists) {
    if (!list.isWritable) continue;
    const fit = Math.max(
      ...list.places.flatMap(({ placement }) => sites.map((site) => fitOf(placement, site))),
    );
    if (fit > bestFit) {
      best = list;
      bestFit = fit;
    }
  }
  return best;
}

interface Parts {
  readonly list: CompiledList;
  readonly used: readonly CompiledPlace[];
  readonly cleared: readonly OtherPlace[];
}

/**
 * What of this list is written, and which places of the others are emptied: where a phantom is, and where a credential
 * always goes, so that no service gets two credentials.
 */
function partsAt(list: CompiledList, sites: readonly PhantomSite[]): Parts {
  const isUsed = ({ placement }: OtherPlace): boolean =>
    !isByPhantom(placement) || sites.some((site) => fitOf(placement, site) > 0);
  const used = list.places.filter(isUsed);
  return { list, used, cleared: used.length === 0 ? [] : list.others.filter(isUsed) };
}

function compose({ list, used, cleared }: Parts, scrubbed: boolean): Injection | undefined {
  const writers = used.flatMap(({ writer }) => writer ?? []);
  const injection = composeInjection(writers, scrubbed, {
    names: cleared.flatMap(({ placement }) => fieldOf(placement) ?? []),
    parameters: cleared.flatMap(({ placement }) => (placement.kind === 'query' ? placement.name : [])),
  });
  if (injection === undefined || list.content.length === 0) return injection;
  return { ...injection, content: list.content, fill: list.fill };
}

/** With the secret in place of the phantom in the path, if that is one of the places used. */
function withPath(
  injection: Injection,
  used: readonly CompiledPlace[],
  sites: readonly PhantomSite[],
): Injection {
  const writer = used.find(({ placement }) => placement.kind === 'path')?.writer;
  const site = sites.find(({ kind }) => kind === 'path');
  if (writer?.segment === undefined || site?.kind !== 'path') return injection;
  const { segment } = writer;
  const { start, end } = site;
  return {
    ...injection,
    replacesPath: true,
    fieldsFor(target): InjectedFields {
      const { path } = target;
      return { ...injection.fieldsFor(target), path: `${path.slice(0, start)}${segment}${path.slice(end)}` };
    },
  };
}
