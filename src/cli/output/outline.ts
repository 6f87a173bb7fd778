/**
 * A document as `name: value` lines, nested ones indented, lists with dashes: to read and to search, not to parse.
 */
export function formatOutline(document: Readonly<Record<string, unknown>>): string {
  return outlineOf(document, '').join('\n');
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
      ? [`${indent}${name}:`, ...outlineOf(inner, `${indent}  `)]
      : [`${indent}${name}: ${scalar(inner)}`];
  });
}

function scalar(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
