import { inForm } from './form.ts';
import { inJson } from './json.ts';
import type { ContentPlace } from './place.ts';

/** A value that gives way to another: where it is in the content, and in what kind of place. */
export interface Filled {
  readonly place: ContentPlace;
  readonly start: number;
  readonly end: number;
}

/** The content with this text for each of the values, in the spelling of its place. Every other byte stays. */
export function fill(bytes: Buffer, values: readonly Filled[], text: string): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { place, start, end } of values.toSorted((a, b) => a.start - b.start)) {
    if (start < from) continue;
    parts.push(bytes.subarray(from, start), spelled(text, place));
    from = end;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

function spelled(text: string, place: ContentPlace): Buffer {
  switch (place.kind) {
    case 'pointer':
      return Buffer.from(inJson(text), 'latin1');
    case 'field':
      return Buffer.from(inForm(text), 'latin1');
    case 'text':
      return Buffer.from(text);
  }
}
