import { joined, type SafeText } from './safe-text.ts';

/**
 * A document as `name: value` lines, nested ones indented, lists with dashes: to read and to search, not to parse.
 */
export function formatOutline(document: Readonly<Record<string, unknown>>): SafeText {
  return joined(outlineOf(document, ''), '\n');
}

function outlineOf(value: unknown, indent: string): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = '', ...rest] = outlineOf(item, `${indent}  `);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (typeof value !== 'object' || value === null) return [`${indent}${scalar(value)}`];
  return Object.entries(value).flatMap(([name, inner]) => {
    const isNested = typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0;
    return isNested
      ? [`${indent}${scalar(name)}:`, ...outlineOf(inner, `${indent}  `)]
      : [`${indent}${scalar(name)}: ${scalar(inner)}`];
  });
}

function scalar(value: unknown): string {
  // Of several lines, one could pass for a field of its own.
  return typeof value === 'string' && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);
}
