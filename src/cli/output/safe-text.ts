declare const brand: unique symbol;

/**
 * Text that a terminal may get as it is. What came from outside (names, errors, definitions, paths) was escaped before any
 * mark was added, so that no mark and no line in it is a stranger's. Only the functions of this file make one.
 */
export interface SafeText {
  readonly [brand]: true;
  /** With authsome's own marks and line ends. */
  readonly written: string;
}

/** What can be printed. A string is data: it is escaped, line ends included. */
export type Text = string | SafeText;

/** `data` on one line, with each character that could control a terminal shown as `\u001b`. */
export function safe(data: Text): SafeText {
  return typeof data === 'string' ? fromSafePieces(escapedIn(data)) : data;
}

/** A template whose own words are authsome's, line ends included, and whose holes are data unless they are safe. */
export function text(words: TemplateStringsArray, ...holes: readonly (Text | number)[]): SafeText {
  const pieces = holes.map((hole) => safe(typeof hole === 'number' ? String(hole) : hole).written);
  return fromSafePieces(words.reduce((all, word, index) => all + (pieces[index - 1] ?? '') + word));
}

/** The texts with `separator`, which is not escaped, between each two. */
export function joined(texts: readonly Text[], separator: string): SafeText {
  return fromSafePieces(texts.map((each) => safe(each).written).join(separator));
}

/** Text that a person can click where the terminal supports that (OSC 8); a URL that is no plain ASCII is only shown. */
export function hyperlink(url: string, shown: SafeText): SafeText {
  if (!/^[\x21-\x7e]+$/.test(url)) return shown;
  return fromSafePieces(`\u001b]8;;${url}\u001b\\${shown.written}\u001b]8;;\u001b\\`);
}

/** For the files of this folder, which put together what is safe already; `safe-text.test.ts` finds other users. */
export function fromSafePieces(written: string): SafeText {
  return { written } as SafeText;
}

/** For the manual's pages alone, which are authsome's own: marks and lines stay, other characters of control do not. */
export function manualText(page: string): SafeText {
  return fromSafePieces(
    page.replace(new RegExp(`\u001b\\[(?:1|2|22|31|32|33|36|39)m|${control.source}`, 'gu'), (found) =>
      found.length > 1 || found === '\n' ? found : escaped(found),
    ),
  );
}

/** Data for a program, as a terminal may show it: its lines stay. */
export function safeLines(data: string): string {
  return data.replace(/[^\n\t]+/gu, escapedIn);
}

/** The text without authsome's own marks, for files. */
export function plainText(written: string): string {
  return written.replace(/\u001b(?:\[[0-9;]*m|\]8;;[^\u001b]*\u001b\\)/g, '');
}

/** A JSON document on one line. Also escapes characters that could control a terminal and that JSON does not escape. */
export function safeJson(value: unknown): string {
  return escapedIn(JSON.stringify(value));
}

const control = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

function escapedIn(data: string): string {
  return data.replace(control, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
