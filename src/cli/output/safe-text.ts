/**
 * `text` for a terminal: whatever could steer it (escape sequences, carriage returns, text that runs backwards) is shown
 * as `\u001b` instead. Names, errors and definitions come from files and servers. The marks that we set stay.
 */
export function safeText(text: string): string {
  return text.replace(
    /\u001b(?:\[(?:1|2|22|31|32|33|36|39)m|\]8;;[\x21-\x7e]*\u001b\\)|[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (found) => (found.length > 1 || found === '\n' || found === '\t' ? found : escaped(found)),
  );
}

/** The text without the marks that we set, for files. */
export function plainText(text: string): string {
  return text.replace(/\u001b(?:\[[0-9;]*m|\]8;;[^\u001b]*\u001b\\)/g, '');
}

/** A JSON document on one line, in which nothing can steer a terminal either: JSON escapes only half of it. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
