import type { Readable } from 'node:stream';
import { AuthsomeError } from '../../errors.ts';

/** More than any passphrase has. */
const maxBytes = 4 * 1024;

/** What the process that starts the daemon writes to its standard input: a passphrase, and then the end. */
export async function typedPassphrase(input: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of input) {
      const bytes = Buffer.from(piece);
      pieces.push(bytes);
      size += bytes.length;
      if (size > maxBytes) throw new AuthsomeError('WrongPassphrase', 'the passphrase is too long');
    }
    return Buffer.concat(pieces)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  } finally {
    for (const piece of pieces) piece.fill(0);
  }
}
