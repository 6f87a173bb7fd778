import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { AuthsomeError } from '../errors.ts';

/**
 * The roots to trust for a hosted daemon, as PEM: Node's own and those in `files`. Empty when there are no files,
 * which means Node's own.
 */
export function hostedRoots(files: readonly string[]): readonly string[] {
  if (files.length === 0) return [];
  return [...rootCertificates, ...files.map(readRoots)];
}

function readRoots(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AuthsomeError('Usage', `the file with extra root certificates cannot be read: ${file}`, {
      hint: 'Fix or unset AUTHSOME_EXTRA_CA_CERTS, SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.',
      cause: error,
    });
  }
}
