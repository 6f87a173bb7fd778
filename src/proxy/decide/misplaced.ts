import { shellWord } from '../../command-line.ts';
import type { Route } from '../../providers/index.ts';
import { type PlacedPhantom, placeText } from '../phantoms/index.ts';
import { type Refusal, refuse } from './decision.ts';
import { ownPlacesText } from './own-places.ts';

/** Why a phantom may not be where it is. */
export type Misplacement =
  /** The run does not have its connection. */
  | { readonly kind: 'not-in-run' }
  /** The connection was signed in again after a `revoke` or `logout`: this one stood for the credential before. */
  | { readonly kind: 'retired' }
  | { readonly kind: 'other-host'; readonly host: string }
  | { readonly kind: 'other-path' }
  /** The route covers the request, and takes its credential elsewhere. */
  | { readonly kind: 'other-place'; readonly route: Route }
  | { readonly kind: 'second'; readonly first: string }
  | { readonly kind: 'plain-http' };

/** The refusal of a request for a phantom in it. It names connection and place, and repeats nothing of the request. */
export function phantomMisplaced(
  placed: PlacedPhantom,
  why: Misplacement,
  considered: readonly Route[] = [],
): Refusal {
  const { connection } = placed.phantom;
  const { place } = placed;
  const because = 'why' in place && place.why !== undefined ? ` (${place.why})` : '';
  const subject = `the phantom of ${connection} is in ${placeText(place)}${because}`;
  const [provider = connection] = connection.split('/', 1);
  const { detail, hint } = textsOf(why, { subject, connection, provider, place: placeText(place) });
  return refuse('PhantomMisplaced', detail, { hint, trace: { considered, phantom: connection } });
}

interface Named {
  readonly subject: string;
  readonly connection: string;
  readonly provider: string;
  readonly place: string;
}

function textsOf(
  why: Misplacement,
  { subject, connection, provider, place }: Named,
): { readonly detail: string; readonly hint: string } {
  const definition = `authsome inspect ${shellWord(provider)}`;
  switch (why.kind) {
    case 'not-in-run': {
      const named = shellWord(connection.replace('/', '='));
      return {
        detail: `${subject}, and this run does not have that connection`,
        hint: `Start the run with it: authsome run --connection ${named} -- <command>`,
      };
    }
    case 'retired':
      return {
        detail: `${subject}, and it is older than the connection, which has been signed in again since`,
        hint: 'Use the phantom that this run has in its environment.',
      };
    case 'other-host':
      return {
        detail: `${subject}, and ${why.host} is not a host of ${provider}`,
        hint: `Send it only to the hosts of ${provider}, or have a person add this one to its definition: ${definition}`,
      };
    case 'other-path':
      return {
        detail: `${subject}, and no route of ${connection} covers this path`,
        hint: `Send it only to the paths of ${provider}, or have a person add this one to its definition: ${definition}`,
      };
    case 'other-place': {
      const places = ownPlacesText(why.route);
      const instead = places === '' ? '' : `Send it in ${places}. `;
      return {
        detail: `${subject}, where the credential of ${connection} does not go`,
        hint: `${instead}If the service takes it in ${place}, a person can declare that in the definition: ${definition}`,
      };
    }
    case 'second':
      return {
        detail: `${subject}, and the request also has the phantom of ${why.first}`,
        hint: 'Send the phantom of one connection only.',
      };
    case 'plain-http':
      return {
        detail: `${subject} of a request over plain HTTP`,
        hint: 'Use https: a credential is never sent over plain HTTP.',
      };
  }
}
