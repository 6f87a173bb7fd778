import { readableNames } from './codings.ts';

const readable = readableNames.join('|');
const isReadable = new RegExp(`^(?:${readable})[ \\t]*(?:;|$)`, 'i');
/** What most clients send, checked without making a list of it. */
const areReadable = new RegExp(`^(?:${readable})(?:, ?(?:${readable}))*$`);

/** The `Accept-Encoding` to send instead, or `undefined` where this one asks only for what can be decoded here. */
export function readableCodings(acceptEncoding: string): string | undefined {
  if (areReadable.test(acceptEncoding)) return undefined;
  const parts = acceptEncoding.split(',').map((part) => part.trim());
  const kept = parts.filter((part) => isReadable.test(part));
  if (kept.length === parts.length) return undefined;
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
