import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Where Linux distributions, BSDs and macOS keep the system's roots as one PEM file. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const;

const certificatePattern = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** The PEM text of the system's own bundle of roots; `undefined` where there is none to read. */
export function readSystemRoots(read: (file: string) => string = readText): string | undefined {
  for (const file of systemBundles) {
    try {
      return read(file);
    } catch {
      // Try the next place.
    }
  }
  return undefined;
}

function readText(file: string): string {
  return readFileSync(file, 'utf8');
}

/**
 * The certificates of a PEM text, each one written out again. Those that cannot be read are left out: OpenSSL would
 * stop at the first of them and drop every good one after it.
 */
export function certificatesOf(pem: string): readonly string[] {
  const certificates: string[] = [];
  for (const [block] of pem.matchAll(certificatePattern)) {
    try {
      certificates.push(new X509Certificate(block.replace(/\n\s*\n/g, '\n')).toString());
    } catch {
      // Not a certificate that this OpenSSL can read.
    }
  }
  return certificates;
}
