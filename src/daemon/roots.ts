import { readFile } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';

const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt', // Debian, Alpine, Arch
  '/etc/pki/tls/certs/ca-bundle.crt', // Fedora, RHEL
  '/etc/ssl/ca-bundle.pem', // openSUSE
  '/etc/ssl/cert.pem', // macOS, BSD
];

/** The system's trusted roots as one PEM text, read once; the ones that Node brings where the system has none. */
export function createSystemRoots(
  read: (path: string) => Promise<string> = (path) => readFile(path, 'utf8'),
): () => Promise<string> {
  let cached: Promise<string> | undefined;
  return () => {
    cached ??= firstBundle(read);
    return cached;
  };
}

async function firstBundle(read: (path: string) => Promise<string>): Promise<string> {
  for (const path of systemBundles) {
    const text = await read(path).catch(() => '');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return withFinalNewline(text);
  }
  return `${rootCertificates.join('\n')}\n`;
}

/** The certificates of a PEM text and nothing else of it: a key that was filed with them must not spread. */
export function certificatesIn(pem: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length === 0 ? '' : `${blocks.join('\n')}\n`;
}

function withFinalNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
