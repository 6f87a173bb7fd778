/** Text that every encoder leaves unmodified. */
export const hasOneSpelling = /^[A-Za-z0-9._-]*$/;

/**
 * The ways in which services write back a text, in an order that is the same for every text. Each is here because a
 * common encoder makes it; duplicates are not removed.
 */
export function spellingsOf(text: string): readonly string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [
    text,
    ...percentEncoded(text).flatMap((encoded) => [encoded, withLowerCaseEscapes(encoded)]),
    json,
    // PHP, and writers of JSON into a page.
    json.replaceAll('/', '\\/'),
    json.replaceAll('/', '\\u002f'),
    json.replaceAll('/', '\\u002F'),
    // Python: nothing but ASCII. Go and Rails: nothing that HTML could read as markup.
    json.replace(/[^\0-\x7f]/g, lowerEscape),
    json.replace(/[<>&]/g, lowerEscape),
    // .NET and Java's HTML-safe writers.
    json.replace(/\\"/g, '\\u0022').replace(/[<>&'+`=]|[^\0-\x7f]/g, upperEscape),
    json.replace(/\\"/g, '\\u0022').replace(/[<>&'+`]|[^\0-\x7f]/g, upperEscape),
    // A page, or XML. The apostrophe has three names.
    ...['&#39;', '&#x27;', '&apos;'].map((apostrophe) => inMarkup(text).replaceAll("'", apostrophe)),
  ];
}

/** By `encodeURIComponent`; by RFC 3986 §2.3; the same in a path, where `/` stays; in a form, where a space is `+`. */
function percentEncoded(text: string): readonly string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(/[!'()*]/g, (char) => `%${hex(char, 2).toUpperCase()}`);
  const form = new URLSearchParams({ '': text }).toString().slice(1);
  return [component, strict, strict.replaceAll('%2F', '/'), form];
}

function withLowerCaseEscapes(encoded: string): string {
  return encoded.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
}

function inMarkup(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (char) => names[char] as string);
}

const hex = (char: string, digits: number): string => char.charCodeAt(0).toString(16).padStart(digits, '0');
const lowerEscape = (char: string): string => `\\u${hex(char, 4)}`;
const upperEscape = (char: string): string => `\\u${hex(char, 4).toUpperCase()}`;
