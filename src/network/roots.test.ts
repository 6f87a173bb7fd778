import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { certificatesOf, readSystemRoots } from './roots.ts';

const [first = '', second = ''] = rootCertificates;

describe('a bundle of roots', () => {
  it('gives its certificates, whatever stands between them', () => {
    const bundle = `# A comment\n${first}\nsome text\r\n${second.replaceAll('\n', '\r\n')}\n`;
    const bytes = (pem: string): Buffer => new X509Certificate(pem).raw;
    expect(certificatesOf(bundle).map(bytes)).toEqual([bytes(first), bytes(second)]);
  });

  it('gives the good ones behind a broken one, and never a private key', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const key = '-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n';
    expect(certificatesOf(broken + key + first)).toHaveLength(1);
  });

  it('may have an empty line before its end', () => {
    const odd = first.replace('-----END', '\n-----END');
    expect(certificatesOf(odd)).toHaveLength(1);
  });

  it('is the first one of the system that can be read', () => {
    const read = (file: string): string => {
      if (file === '/etc/ssl/cert.pem') return 'pem';
      throw new Error('none');
    };
    expect(readSystemRoots(read)).toBe('pem');
    const nothing = (): string => {
      throw new Error('none');
    };
    expect(readSystemRoots(nothing)).toBeUndefined();
  });
});
