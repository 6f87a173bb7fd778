import { inForm, locateInForm } from './form.ts';
import { inJson, locateInJson } from './json.ts';
import type { ContentKind } from './kind.ts';
import type { Located } from './located.ts';

/** One place in content: a JSON pointer (RFC 6901), or the name of a form's field. */
export type ContentPlace = { readonly pointer: string } | { readonly field: string };

/** The text at this place of the content. */
export function locate(bytes: Buffer, kind: ContentKind, place: ContentPlace): Located {
  if ('pointer' in place) {
    return kind === 'json' ? locateInJson(bytes, place.pointer) : { kind: 'unreadable', reason: notJson };
  }
  return kind === 'form' ? locateInForm(bytes, place.field) : { kind: 'unreadable', reason: notForm };
}

const notJson = 'the content is not declared to be JSON';
const notForm = 'the content is not declared to be a form (application/x-www-form-urlencoded)';

/** The content with this text in place of the value that was found, in the spelling of its kind. */
export function replaceAt(
  bytes: Buffer,
  found: { readonly start: number; readonly end: number },
  kind: ContentKind,
  text: string,
): Buffer {
  const written = Buffer.from(kind === 'form' ? inForm(text) : inJson(text), 'latin1');
  return Buffer.concat([bytes.subarray(0, found.start), written, bytes.subarray(found.end)]);
}

/** The place as people read it. */
export function showPlace(place: ContentPlace): string {
  return 'pointer' in place ? `body ${place.pointer || 'as a JSON string'}` : `body field ${place.field}`;
}
