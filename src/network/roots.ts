import { X509Certificate } from 'node:crypto';

const certificatePattern = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text, each one spelled afresh. Those that cannot be read are left out: OpenSSL would stop
 * at the first of them, and drop every good one behind it.
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
