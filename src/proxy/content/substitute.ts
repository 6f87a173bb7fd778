import type { ContentKind } from './kind.ts';
import { type ContentPlace, locate, replaceAt } from './place.ts';

/** Where a phantom is in the content, in whatever spelling. */
export interface Found {
  readonly start: number;
  readonly end: number;
}

export type Substituted =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'replaced'; readonly bytes: Buffer }
  /** `reason` says where the phantom is instead, and quotes nothing. */
  | { readonly kind: 'refused'; readonly reason: string };

export interface Substitution {
  readonly bytes: Buffer;
  readonly kind: ContentKind;
  readonly place: ContentPlace;
  /** Every phantom that a search found. */
  readonly found: readonly Found[];
  /** Whether the text of the value is a phantom that this place takes. */
  readonly isTaken: (text: string) => boolean;
  readonly replacement: string;
}

const unchanged: Substituted = { kind: 'unchanged' };

/**
 * Puts the replacement in the place of a phantom, where the phantom is all of the value there. A phantom anywhere else is
 * refused, and so is one in content that cannot be read. The value itself is compared decoded, so that no spelling of it
 * can go unseen.
 */
export function substitute(substitution: Substitution): Substituted {
  const { bytes, kind, place, found, isTaken, replacement } = substitution;
  const located = locate(bytes, kind, place);
  if (located.kind !== 'value') {
    if (found.length === 0) return unchanged;
    return {
      kind: 'refused',
      reason: located.kind === 'absent' ? 'the content has no text at the place' : located.reason,
    };
  }
  const within = found.filter(({ start, end }) => start >= located.start && end <= located.end);
  if (within.length < found.length) return { kind: 'refused', reason: 'the phantom is outside of the place' };
  if (isTaken(located.text)) return { kind: 'replaced', bytes: replaceAt(bytes, located, kind, replacement) };
  return within.length === 0
    ? unchanged
    : { kind: 'refused', reason: 'the value at the place is not the phantom alone' };
}
