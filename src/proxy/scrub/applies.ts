const textual =
  /^(?:text\/|application\/(?:[a-z0-9.+-]*\+)?(?:json|xml|yaml|javascript)\b|application\/(?:x-www-form-urlencoded|x-ndjson|ndjson|jsonl|json-seq|ecmascript|graphql|x-yaml|toml|sql)\b)/i;

/** Whether a body of this type is text that people and agents read. One without a type may be. */
export function isTextual(contentType: string | undefined): boolean {
  return contentType === undefined || contentType === '' || textual.test(contentType);
}

export type Coding = 'identity' | 'gzip' | 'deflate' | 'br';

/** How the body is coded; `undefined` where that cannot be undone here. */
export function codingOf(contentEncoding: string | undefined): Coding | undefined {
  switch (contentEncoding?.trim().toLowerCase()) {
    case undefined:
    case '':
    case 'identity':
      return 'identity';
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    case 'br':
      return 'br';
    default:
      return undefined;
  }
}
