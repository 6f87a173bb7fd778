/**
 * `text` for a terminal. Characters that could control it (escape sequences, carriage returns, right-to-left marks) are
 * shown as `\u001b`. Names, errors and definitions come from files and servers. authsome's own marks stay.
 */
export function safeText(text: string): string {
  return text.replace(
    /\u001b(?:\[(?:1|2|22|31|32|33|36|39)m|\]8;;[\x21-\x7e]*\u001b\\)|[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu,
    (found) => (found.length > 1 || found === '\n' || found === '\t' ? found : escaped(found)),
  );
}

/** The text without authsome's own marks, for files. */
export function plainText(text: string): string {
  return text.replace(/\u001b(?:\[[0-9;]*m|\]8;;[^\u001b]*\u001b\\)/g, '');
}

/** A JSON document on one line. Also escapes characters that could control a terminal and that JSON does not escape. */
export function safeJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\u009f\p{Bidi_Control}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
