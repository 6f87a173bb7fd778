import { Fault } from './fault.ts';
import { registrableDomain } from './host.ts';
import { type HostPattern, parseHostPattern } from './host-pattern.ts';
import type { Provider, ProviderSource } from './provider.ts';

/**
 * The hosts that a connection's credential may be sent to: those of its provider's definition at the time of the sign-in, or
 * of a person's later approval.
 */
export interface ApprovedHosts {
  /** Whose definition it was. */
  readonly source: ProviderSource;
  /** Host patterns, with `{base_url}` replaced. */
  readonly hosts: readonly string[];
}

/** All that the definition routes to now. */
export function definedHosts(provider: Provider): ApprovedHosts {
  const patterns = provider.inject.flatMap((rule) => rule.hosts);
  return { source: provider.source, hosts: [...new Set(patterns.map(textOf))] };
}

/** The host patterns of the definition that a person has yet to approve. `undefined` approves none. */
export function unapprovedHosts(provider: Provider, approved: ApprovedHosts | undefined): readonly string[] {
  const covers = approvalOf(provider, approved);
  const patterns = provider.inject.flatMap((rule) => rule.hosts).filter((pattern) => !covers(pattern));
  return [...new Set(patterns.map(textOf))];
}

/** For the audit trail: `hosts api.acme.example → api.acme.example, acme.example`. */
export function hostsChange(before: ApprovedHosts | undefined, after: ApprovedHosts): string {
  return `hosts ${listOf(before)} → ${listOf(after)}`;
}

function listOf(approved: ApprovedHosts | undefined): string {
  return approved === undefined || approved.hosts.length === 0 ? 'none' : approved.hosts.join(', ');
}

/**
 * Whether a host pattern of the definition is approved: it belongs to the owner of an approved host, on the same port. An
 * owner who gets the credential at one host learns nothing new at another. A bundled definition may change its hosts: it
 * came with the program that holds the credential anyway. One that takes the place of a custom definition may not.
 */
export function approvalOf(
  { source }: Pick<Provider, 'source'>,
  approved: ApprovedHosts | undefined,
): (pattern: HostPattern) => boolean {
  if (approved === undefined) return () => false;
  if (source === 'bundled' && approved.source === 'bundled') return () => true;
  let owners: ReadonlySet<string> | undefined;
  return (pattern) => {
    if (approved.hosts.includes(textOf(pattern))) return true;
    owners ??= new Set(approved.hosts.flatMap(ownersNamedBy));
    return owners.has(ownerOf(pattern));
  };
}

/** Whether a URL belongs to the owner of an approved host, or of one of the `others`, on the same port. */
export function isOwnUrl(
  url: string,
  approved: ApprovedHosts,
  others: readonly (string | undefined)[],
): boolean {
  const owners = approved.hosts.flatMap(ownersNamedBy);
  const ownersOfOthers = others.flatMap((other) => (other === undefined ? [] : [ownerOfUrl(other)]));
  return [...owners, ...ownersOfOthers].includes(ownerOfUrl(url));
}

function ownerOfUrl(text: string): string {
  const { hostname: host, port, protocol } = new URL(text);
  return ownerOf({ host, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) });
}

/** Empty for a text that an earlier version took for a pattern and this one does not. */
function ownersNamedBy(text: string): readonly string[] {
  try {
    return [ownerOf(parseHostPattern(text))];
  } catch (error) {
    if (error instanceof Fault) return [];
    throw error;
  }
}

/** An address, a single label and a public suffix are owners of their own: nobody registered a domain for them. */
function ownerOf({ host, port }: Pick<HostPattern, 'host' | 'port'>): string {
  return `${registrableDomain(host) ?? host}:${port}`;
}

function textOf({ text }: HostPattern): string {
  return text.replace(/^https:\/\//i, '');
}
