import type { Style } from '../style.ts';

/** `name  value` lines, the values aligned. */
export function formatPairs(pairs: readonly (readonly [string, string])[], style: Style): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`.trimEnd()).join('\n');
}
