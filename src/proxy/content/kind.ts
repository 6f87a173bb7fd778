/** How a value is spelled in content of some type; `other` where none can be replaced. */
export type ContentKind = 'json' | 'form' | 'other';

const json = /^(?:application|text)\/json$|^[^/]+\/[^/]+\+json$/;

/**
 * By its media type (RFC 9110 §8.3.1): JSON, also as a suffix (RFC 6839 §3.1), or a form. A type that is missing, or
 * given more than once, is `other`: readers differ about it.
 */
export function contentKind(contentType: string | undefined): ContentKind {
  if (contentType === undefined || contentType.includes(',')) return 'other';
  const [type = ''] = contentType.split(';', 1);
  const name = type.trim().toLowerCase();
  if (name === 'application/x-www-form-urlencoded') return 'form';
  return json.test(name) ? 'json' : 'other';
}
