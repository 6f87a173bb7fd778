/** Codings that can be looked into here; what else a client accepts is not asked for on its behalf. */
const readable = new Set(['gzip', 'x-gzip', 'deflate', 'br', 'identity']);

/** The `Accept-Encoding` to send instead, or `undefined` where this one asks for nothing that cannot be read here. */
export function readableCodings(acceptEncoding: string): string | undefined {
  const parts = acceptEncoding.split(',').map((part) => part.trim());
  const kept = parts.filter((part) => readable.has((part.split(';', 1)[0] ?? '').trim().toLowerCase()));
  if (kept.length === parts.length) return undefined;
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
