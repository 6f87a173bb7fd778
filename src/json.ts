/** Reading JSON that others wrote, and naming the places in it. Every command loads this file. */

/** The value of a JSON text; `undefined`, which no JSON text means, for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * A text with comments and trailing commas (JSONC) as JSON: each is replaced by spaces, so that an error names the same place.
 * Takes linear time, also for what is never closed.
 */
export function withoutComments(text: string): string {
  const blank = (part: string): string => part.replace(/[^\n\r]/g, ' ');
  return text
    .replace(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g, (part) =>
      part.startsWith('"') ? part : blank(part),
    )
    .replace(/"(?:[^"\\]|\\[\s\S])*(?:"|\\?$)|,(?=\s*[\]}])/g, (part) => (part === ',' ? ' ' : part));
}

/** Whether lists and objects are nested more than `limit` deep. Level by level: a recursion would overflow on them. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((each) =>
      typeof each === 'object' && each !== null ? (Object.values(each) as unknown[]) : [],
    );
  }
  return false;
}

/** The JSON pointer (RFC 6901) of the place that these keys lead to, each below the one before; empty for the root. */
export function jsonPointer(keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
