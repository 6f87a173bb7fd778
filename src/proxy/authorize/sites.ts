import type { RequestFacts } from '../decide/index.ts';
import type { PhantomSite } from '../inject/index.ts';

const none: readonly PhantomSite[] = [];

/** Where the phantoms in a request are: all are of one connection, or the request has been refused. */
export function sitesIn({ phantoms, path, sentPath = path }: RequestFacts): readonly PhantomSite[] {
  if (phantoms === undefined) return none;
  return phantoms.flatMap(({ phantom, place }): PhantomSite | readonly [] => {
    switch (place.kind) {
      case 'header':
        return { ...place, phantom: phantom.value };
      case 'query':
        return place.name === undefined ? [] : { kind: 'query', name: place.name };
      case 'path':
        return { ...place, path: sentPath };
      case 'body':
        return place.at === undefined ? [] : { kind: 'body', at: place.at };
      default:
        return [];
    }
  });
}
