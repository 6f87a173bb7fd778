/**
 * Keeps a secret out of responses: what was injected is replaced by the run's phantom in their heads, trailers, and all
 * bodies that are not of a binary type, as they stream. Less than the secret's longest spelling is held back.
 *
 * It looks for what common encoders make of a secret, since a service echoes through one of them:
 * - the secret itself, and the password of a `user:password` pair (its user name is none);
 * - percent-encoded: as `encodeURIComponent`, RFC 3986, a path or a form writes it, with `%2F` and with `%2f`;
 * - in JSON: as JSON requires, as PHP (`\/`), Go (`\u003c`), Python (only ASCII) and .NET (`\u002B`) write it, and
 *   with `\u002f`;
 * - in HTML and XML: `&amp;`, and the three names of the apostrophe;
 * - in base64, in both alphabets: whole, as `Basic` writes it with its user name, and inside something longer, at any
 *   alignment. The base64 is looked for in each of the other spellings too;
 * - all of these in UTF-16 and UTF-32, in both byte orders. Other charsets leave ASCII as it is, or are refused.
 *
 * It does not look for what no service does by habit: hexadecimal, base64 broken into lines, two encodings in a row that
 * are not named here, parts of a secret, and a secret that encodes only some of its characters.
 */

export { fieldsAboutBytes, isTextual, isTextualAt, mayHideText, unreadable } from './applies.ts';
export { compileNeedles, noNeedles } from './compile.ts';
export { ScrubbedBody } from './decoder.ts';
