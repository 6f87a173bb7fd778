/**
 * What a provider wrote, made fit for a terminal: printable, on one line, bounded. `undefined` when nothing is
 * left, or when the text repeats one of `secrets` (some servers echo what they were sent).
 */
export function printable(
  text: unknown,
  secrets: readonly (string | undefined)[] = [],
  maxLength = 300,
): string | undefined {
  if (typeof text !== 'string') return undefined;
  if (secrets.some((secret) => secret !== undefined && secret !== '' && text.includes(secret))) {
    return undefined;
  }
  const clean = text
    .slice(0, maxLength * 4)
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  if (clean === '') return undefined;
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

/** An error code as RFC 6749 §4.1.2.1 spells them; anything stranger is `unreadable_error`. */
export function errorCode(text: string, secrets: readonly (string | undefined)[] = []): string {
  const clean = printable(text, secrets, 64);
  return clean !== undefined && /^[\w.:/-]{1,64}$/.test(clean) ? clean : 'unreadable_error';
}
