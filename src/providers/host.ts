import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';

const label = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;
const numericLabel = /^(?:[0-9]+|0x[0-9a-f]*)$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/**
 * The one form of a host name or address that routing compares: lower case, punycode, no trailing dot, IPv6 in
 * brackets and compressed. `undefined` for anything else, above all for what resolvers read differently:
 * percent-encoding, user info, `127.1`, `0x7f.0.0.1`, `2130706433`, zone ids.
 */
export function canonicalHost(text: string): string | undefined {
  if (text.length === 0 || text.length > 255) return undefined;
  if (text.startsWith('[')) return canonicalIpv6(text);
  const ascii = isAscii(text) ? text : domainToASCII(text);
  const host = (ascii.endsWith('.') ? ascii.slice(0, -1) : ascii).toLowerCase();
  if (host.length > 253) return undefined;
  const labels = host.split('.');
  if (!labels.every((part) => label.test(part))) return undefined;
  if (numericLabel.test(labels.at(-1) ?? '') && !ipv4.test(host)) return undefined;
  return host;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** The canonical host and port of `host`, `host:port` or `[address]:port`; `undefined` when it is not exactly that. */
export function canonicalTarget(authority: string, defaultPort: number): Target | undefined {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5}))?$/.exec(authority);
  const host = canonicalHost(parts?.[1] ?? '');
  if (host === undefined) return undefined;
  const port = parts?.[2] === undefined ? defaultPort : Number(parts[2]);
  return port >= 1 && port <= 65535 ? { host, port } : undefined;
}

/**
 * In the public suffix list so that browsers keep its services' cookies apart, yet every name under it is
 * registered and served by one owner.
 */
const suffixesOfOneOwner = ['googleapis.com'];

/**
 * The domain that somebody registered and everything below it belongs to (`a.example.co.uk` → `example.co.uk`),
 * by the public suffix list with its private part: under `github.io` every name has its own owner.
 * `undefined` for a public suffix, a single label or an address.
 */
export function registrableDomain(host: string): string | undefined {
  for (const suffix of suffixesOfOneOwner) {
    if (host === suffix || host.endsWith(`.${suffix}`)) return suffix;
  }
  return getDomain(host, { allowPrivateDomains: true, extractHostname: false }) ?? undefined;
}

export function isAddress(host: string): boolean {
  return host.startsWith('[') || ipv4.test(host);
}

function canonicalIpv6(text: string): string | undefined {
  if (!/^\[[0-9a-fA-F:.]+\]$/.test(text)) return undefined;
  return URL.canParse(`https://${text}/`) ? new URL(`https://${text}/`).hostname : undefined;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7e) return false;
  return true;
}
