/** The decoded name of a parameter, of a pair as the query has it. */
export function parameterName(pair: string): string {
  const equals = pair.indexOf('=');
  return decodeName(equals === -1 ? pair : pair.slice(0, equals));
}

/** The text with percent-escapes and `+` resolved; malformed escapes stay. */
function decodeName(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}

/** The query without this parameter, in any spelling; the query itself where it is not there. */
export function removeParameter(query: string, name: string): string {
  if (query.length < 2) return query;
  const pairs = query.slice(1).split('&');
  const kept = pairs.filter((pair) => parameterName(pair) !== name);
  if (kept.length === pairs.length) return query;
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/**
 * The query (`?…` or empty) with this parameter set, in place of its first spelling or at the end. Every other
 * spelling and duplicate of the name is removed; no other byte changes.
 */
export function placeParameter(query: string, name: string, encoded: string): string {
  if (query === '' || query === '?') return `?${encoded}`;
  const kept: string[] = [];
  let placed = false;
  for (const pair of query.slice(1).split('&')) {
    if (parameterName(pair) !== name) {
      kept.push(pair);
    } else if (!placed) {
      placed = true;
      kept.push(encoded);
    }
  }
  if (!placed) kept.push(encoded);
  return `?${kept.join('&')}`;
}
