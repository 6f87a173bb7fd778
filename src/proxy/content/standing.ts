import type { ContentKind } from './kind.ts';
import type { Located } from './located.ts';
import { type ContentPlace, locate } from './place.ts';

/** Something that was found in content, in whatever spelling. */
export interface Found {
  readonly start: number;
  readonly end: number;
}

/** Whether what was found is in one of the places. */
export type Standing<Each extends Found> =
  /** It is all of the value there, which begins and ends at these positions. */
  | {
      readonly kind: 'in-place';
      readonly found: Each;
      readonly place: ContentPlace;
      readonly start: number;
      readonly end: number;
    }
  /** `why` quotes nothing of the content. */
  | { readonly kind: 'elsewhere'; readonly found: Each; readonly why: string };

export interface Question<Each extends Found> {
  readonly bytes: Buffer;
  readonly kind: ContentKind;
  readonly places: readonly ContentPlace[];
  readonly found: readonly Each[];
  /** Whether the decoded text is what was found, and no more. */
  readonly isAllOf: (text: string, found: Each) => boolean;
}

/**
 * Where each of the things stands that were found. Values are compared decoded, so that their spelling does not matter.
 * Content that cannot be read, or has a place twice, has nothing in it.
 */
export function standingsIn<Each extends Found>(question: Question<Each>): readonly Standing<Each>[] {
  const { bytes, kind, places, found } = question;
  if (found.length === 0) return [];
  const located = places.map((place) => ({ place, value: locate(bytes, kind, place) }));
  return found.map((each) => standingOf(each, located, question));
}

function standingOf<Each extends Found>(
  found: Each,
  located: readonly { readonly place: ContentPlace; readonly value: Located }[],
  { isAllOf }: Question<Each>,
): Standing<Each> {
  let why = 'it is not in the place that takes one';
  for (const { place, value } of located) {
    if (value.kind === 'unreadable') why = value.reason;
    if (value.kind !== 'value' || found.start < value.start || found.end > value.end) continue;
    const { start, end, text } = value;
    if (isAllOf(text, found)) return { kind: 'in-place', found, place, start, end };
    why = 'the value at the place is not the phantom alone';
  }
  return { kind: 'elsewhere', found, why };
}
