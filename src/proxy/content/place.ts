import { locateInForm } from './form.ts';
import { locateInJson } from './json.ts';
import type { ContentKind } from './kind.ts';
import type { Located } from './located.ts';

/** One place in content: a JSON pointer (RFC 6901), the name of a form's field, or the whole text. */
export type ContentPlace =
  | { readonly kind: 'pointer'; readonly pointer: string }
  | { readonly kind: 'field'; readonly field: string }
  | { readonly kind: 'text' };

const notJson: Located = { kind: 'unreadable', reason: 'the content is not declared to be JSON' };
const notForm: Located = {
  kind: 'unreadable',
  reason: 'the content is not declared to be a form (application/x-www-form-urlencoded)',
};

/** The text at this place of the content. */
export function locate(bytes: Buffer, kind: ContentKind, place: ContentPlace): Located {
  switch (place.kind) {
    case 'pointer':
      return kind === 'json' ? locateInJson(bytes, place.pointer) : notJson;
    case 'field':
      return kind === 'form' ? locateInForm(bytes, place.field) : notForm;
    case 'text':
      return { kind: 'value', start: 0, end: bytes.length, text: bytes.toString() };
  }
}
