/**
 * A service that sends a secret back: what was injected is replaced by the run's phantom in the head and in textual
 * bodies of its answers, as they stream, without holding back as much as the secret's longest spelling.
 *
 * What is sought is what encoders in common use make of a secret, since a service echoes through one of them:
 * - the secret itself, and the password of a `user:password` pair (its user name is none);
 * - percent-encoded: as `encodeURIComponent`, RFC 3986, a path or a form has it, in `%2F` and in `%2f`;
 * - in JSON: as it has to be, as PHP (`\/`), Go (`\u003c`), Python (only ASCII) and .NET (`\u002B`) write it, and
 *   with `\u002f`;
 * - in HTML and XML: `&amp;`, and the three names of the apostrophe;
 * - in base64, in both alphabets: whole, as `Basic` has it with its user name, and inside something longer, wherever it
 *   lies there. The base64 is sought in each of the other spellings too.
 *
 * Not sought, because no service does it by habit: hexadecimal, base64 broken into lines, two encodings in a row that
 * are not named here, parts of a secret, and a secret that encodes only some of its characters.
 */

export { fieldsAboutBytes, isTextual, isTextualAt, unreadable } from './applies.ts';
export { compileNeedles, noNeedles } from './compile.ts';
export { ScrubbedBody } from './decoder.ts';
export type { Needles } from './needles.ts';
