import { isIPv4, isIPv6 } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import { makeCa, makeLeaf, type NameConstraints } from './certificate.ts';
import { type AuthorityKeys, generateKeys } from './keys.ts';

const hourMs = 3_600_000;
const clockSkewMs = hourMs;
/** From `notBefore` to `notAfter`: one day in total. */
const lifetimeMs = 24 * hourMs;
/** A wildcard route lets an agent name any number of hosts: the oldest context is dropped. */
const maxContexts = 1024;

export interface CertificateAuthorityOptions {
  readonly runId: string;
  /** Hosts or domains that may be routed, in canonical form. */
  readonly hosts: readonly string[];
  /** From a key supply; generated here if absent. */
  readonly keys?: AuthorityKeys;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** A run's certificate authority. Its key and its leaves' key exist only in this process's memory. */
export interface CertificateAuthority {
  /** The CA certificate, for the run's trust stores. */
  readonly pem: string;
  readonly expiresAtMs: number;
  /** Whether the CA may certify this host: its names were fixed when the run started. */
  covers(host: string): boolean;
  /** A new certificate for this host and its key, in PEM. */
  leafFor(host: string): { readonly key: string; readonly cert: string };
  /** The TLS context that presents a certificate for this host, made once. */
  contextFor(host: string): SecureContext;
}

/** The bytes of an address, IPv6 with or without brackets; `undefined` for a name. */
export function addressBytes(host: string): Uint8Array | undefined {
  if (isIPv4(host)) return Uint8Array.from(host.split('.'), Number);
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  return isIPv6(bare) ? ipv6Bytes(bare) : undefined;
}

function ipv6Bytes(address: string): Uint8Array {
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = '', right] = canonical.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const middle = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...head, ...middle, ...tail].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  }
  return bytes;
}

function constraintsFor(hosts: readonly string[]): NameConstraints {
  const dnsNames = new Set<string>();
  const addresses = new Map<string, Uint8Array>();
  for (const host of hosts) {
    const address = addressBytes(host);
    if (address === undefined) dnsNames.add(host);
    else addresses.set(host, address);
  }
  return { dnsNames: [...dnsNames].sort(), addresses: [...addresses.values()] };
}

/** A positive serial of 128 random bits (RFC 5280 §4.1.2.2): the first byte is never zero nor negative. */
function serial(randomBytes: (size: number) => Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(randomBytes(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

export function createCertificateAuthority(options: CertificateAuthorityOptions): CertificateAuthority {
  const { ca: caKey, leaf: leafKey } = options.keys ?? generateKeys();
  let leafKeyPem: string | undefined;
  const notBeforeMs = options.nowMs() - clockSkewMs;
  const notAfterMs = notBeforeMs + lifetimeMs;
  const name = `authsome run ${options.runId}`;
  const constraints = constraintsFor(options.hosts);
  const contexts = new Map<string, SecureContext>();

  const caPem = makeCa({
    name,
    ...caKey,
    serial: serial(options.randomBytes),
    constraints,
    notBeforeMs,
    notAfterMs,
  });

  const leafFor = (host: string): { readonly key: string; readonly cert: string } => {
    const address = addressBytes(host);
    const cert = makeLeaf({
      host: address === undefined ? { dnsName: host } : { address },
      publicKey: leafKey.publicKey,
      issuer: { name, ...caKey },
      serial: serial(options.randomBytes),
      notBeforeMs,
      notAfterMs,
    });
    leafKeyPem ??= leafKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    return { key: leafKeyPem, cert };
  };

  return {
    pem: caPem,
    expiresAtMs: notAfterMs,
    covers(host) {
      const address = addressBytes(host);
      if (address !== undefined)
        return constraints.addresses.some((known) => Buffer.compare(known, address) === 0);
      return constraints.dnsNames.some((known) => host === known || host.endsWith(`.${known}`));
    },
    leafFor,
    contextFor(host) {
      const known = contexts.get(host);
      if (known !== undefined) return known;
      if (contexts.size >= maxContexts) {
        const oldest = contexts.keys().next().value;
        if (oldest !== undefined) contexts.delete(oldest);
      }
      // No `ca` here: it would make OpenSSL build and verify a chain at every handshake.
      const context = createSecureContext({ ...leafFor(host), minVersion: 'TLSv1.2' });
      contexts.set(host, context);
      return context;
    },
  };
}
