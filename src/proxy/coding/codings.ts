import { zstd } from './zstd.ts';

export type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

const known: ReadonlyMap<string, Coding> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
  ...(zstd === undefined ? [] : [['zstd', 'zstd'] as const]),
]);

/** Values for a body that is not coded: `none` keeps others from compressing a stream, a charset is there by mistake. */
const uncoded = new Set(['', 'identity', 'none', 'utf-8', 'utf8']);

/** One body needs no more; each further coding multiplies what a few hostile bytes can expand to. */
const mostCodings = 3;

/**
 * How the body is coded, in the order of decoding (RFC 9110 §8.4: the last one named comes first); empty where it is
 * not coded; `undefined` where it cannot be decoded here.
 */
export function codingsOf(contentEncoding: string | undefined): readonly Coding[] | undefined {
  const names = (contentEncoding ?? '').split(',').map((name) => name.trim().toLowerCase());
  const codings: Coding[] = [];
  for (const name of names) {
    if (uncoded.has(name)) continue;
    const coding = known.get(name);
    if (coding === undefined || codings.length === mostCodings) return undefined;
    codings.unshift(coding);
  }
  return codings;
}

/** Names of what can be decoded here, `identity` included. */
export const readableNames: readonly string[] = [...known.keys(), 'identity'];
