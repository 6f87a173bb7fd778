import type { Placement } from '../../providers/index.ts';
import type { ContentPlace } from './place.ts';

const wholeText: ContentPlace = { kind: 'text' };

/** The place in content that a placement means: in a body, or in a WebSocket message; `undefined` for one in the head. */
function contentPlaceOf(placement: Placement): ContentPlace | undefined {
  switch (placement.kind) {
    case 'body':
      return 'field' in placement
        ? { kind: 'field', field: placement.field }
        : { kind: 'pointer', pointer: placement.pointer };
    case 'websocket':
      return placement.pointer === undefined ? wholeText : { kind: 'pointer', pointer: placement.pointer };
    default:
      return undefined;
  }
}

/** The places in bodies, or those in messages, among these placements. */
export function contentPlacesOf(
  kind: 'body' | 'websocket',
  placements: readonly Placement[],
): readonly ContentPlace[] {
  return placements.flatMap((placement) =>
    placement.kind === kind ? (contentPlaceOf(placement) ?? []) : [],
  );
}

export function isSamePlace(a: ContentPlace, b: ContentPlace): boolean {
  switch (a.kind) {
    case 'pointer':
      return b.kind === 'pointer' && a.pointer === b.pointer;
    case 'field':
      return b.kind === 'field' && a.field === b.field;
    case 'text':
      return b.kind === 'text';
  }
}
