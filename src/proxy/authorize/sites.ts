import type { RequestFacts } from '../decide/index.ts';
import type { PhantomSite } from '../inject/index.ts';
import type { PlacedPhantom } from '../phantoms/index.ts';

const none: readonly PhantomSite[] = [];

/** Where the phantoms in a request are: all are of one connection, or the request has been refused. */
export function sitesIn({ phantoms, path, sentPath = path }: RequestFacts): readonly PhantomSite[] {
  if (phantoms === undefined) return none;
  const sites: PhantomSite[] = [];
  for (const placed of phantoms) {
    const site = siteOf(placed, sentPath);
    if (site !== undefined) sites.push(site);
  }
  return sites;
}

function siteOf({ phantom, place }: PlacedPhantom, sentPath: string): PhantomSite | undefined {
  switch (place.kind) {
    case 'header':
      return { kind: 'header', name: place.name, value: place.value, phantom: phantom.value };
    case 'query':
      return place.name === undefined ? undefined : { kind: 'query', name: place.name };
    case 'path':
      return { kind: 'path', start: place.start, end: place.end, path: sentPath };
    case 'body':
      return place.at === undefined ? undefined : { kind: 'body', at: place.at };
    default:
      return undefined;
  }
}
