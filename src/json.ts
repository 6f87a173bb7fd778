/** Reading JSON that others wrote, and naming the places in it. Every command loads this file. */

/** The value of a JSON text; `undefined`, which no JSON text means, for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON pointer (RFC 6901) of the place that these keys lead to, each below the one before; empty for the root. */
export function jsonPointer(keys: readonly PropertyKey[]): string {
  return keys.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
