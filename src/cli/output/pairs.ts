import { joined, type SafeText, safe, type Text, text } from './safe-text.ts';
import type { Style } from './style.ts';

/** `name  value` lines, the values aligned. */
export function formatPairs(pairs: readonly (readonly [string, Text])[], style: Style): SafeText {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  const lines = pairs.map(([name, value]) =>
    value === '' ? style.dim(safe(name)) : text`${style.dim(safe(name.padEnd(width)))}  ${value}`,
  );
  return joined(lines, '\n');
}
