import { readFile, stat } from 'node:fs/promises';
import { rootCertificates } from 'node:tls';
import { certificatesOf, readSystemRoots } from '../network/index.ts';

const longestFileBytes = 4 * 1024 * 1024;

/** Trusted certificates for the bundle of a run. A file is read again only after it has changed. */
export interface Roots {
  /** The system's roots as one PEM text; Node's own where the system has none. */
  system(): string;
  /**
   * The certificates in a file that a caller trusts, without the system's, since many name the system's own file. Empty when
   * it is not a readable file of a sane size. Never rejects.
   */
  of(path: string): Promise<string>;
}

export function createRoots(readSystem: () => string | undefined = readSystemRoots): Roots {
  let system: string | undefined;
  let ofSystem: ReadonlySet<string> | undefined;
  const files = new Map<string, { readonly stamp: string; readonly pem: string }>();
  const systemRoots = (): string => {
    system ??= withFinalNewline(readSystem() ?? rootCertificates.join('\n'));
    return system;
  };
  return {
    system: systemRoots,
    async of(path) {
      try {
        const stats = await stat(path);
        if (!stats.isFile() || stats.size > longestFileBytes) return '';
        const stamp = `${stats.ino} ${stats.mtimeMs} ${stats.size}`;
        const known = files.get(path);
        if (known?.stamp === stamp) return known.pem;
        // Certificates alone: a private key in the same file must not spread.
        ofSystem ??= new Set(certificatesOf(systemRoots()));
        const pem = certificatesOf(await readFile(path, 'latin1'))
          .filter((certificate) => ofSystem?.has(certificate) === false)
          .map(withFinalNewline)
          .join('');
        files.set(path, { stamp, pem });
        return pem;
      } catch {
        return '';
      }
    },
  };
}

function withFinalNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
