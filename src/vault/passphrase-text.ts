import { AuthsomeError } from '../errors.ts';

/** In characters. scrypt makes each guess slow, and a short passphrase is still guessed. */
export const shortestPassphrase = 12;
const longestBytes = 1_024;

/** The bytes of a passphrase: UTF-8 of its NFC form, so that it is the same from every keyboard (RFC 8265 §4.2). */
export function passphraseBytes(text: string): Uint8Array {
  return Buffer.from(text.normalize('NFC'), 'utf8');
}

/** Throws `Usage` unless `text` may become a passphrase. The error never quotes it. */
export function requireGoodPassphrase(text: string): void {
  const fault = faultIn(text);
  if (fault === undefined) return;
  throw new AuthsomeError('Usage', fault, {
    hint: `Use at least ${shortestPassphrase} characters: several random words, for example.`,
  });
}

function faultIn(text: string): string | undefined {
  if (text === '') return 'the passphrase is empty';
  if (/\p{Cc}/u.test(text)) return 'the passphrase contains a line break or another control character';
  if ([...text].length < shortestPassphrase) {
    return `the passphrase has fewer than ${shortestPassphrase} characters`;
  }
  return passphraseBytes(text).length > longestBytes
    ? `the passphrase has more than ${longestBytes} bytes`
    : undefined;
}
