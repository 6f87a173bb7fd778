import { isIPv4, isIPv6 } from 'node:net';

/** Why an address is not an ordinary public one. */
export type AddressKind =
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'shared' // carrier-grade NAT
  | 'translated' // IPv4 within IPv6: mapped, NAT64, 6to4, Teredo
  | 'metadata'
  | 'multicast'
  | 'unspecified'
  | 'reserved';

type Range = readonly [prefix: string, bits: number, kind: AddressKind];

/** IANA's special-purpose registries (RFC 6890 and later), most specific first, and the clouds' metadata services. */
const ipv4Ranges: readonly Range[] = [
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['168.63.129.16', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'translated'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'reserved'],
  ['198.51.100.0', 24, 'reserved'],
  ['203.0.113.0', 24, 'reserved'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

const ipv6Ranges: readonly Range[] = [
  ['fd00:ec2::254', 128, 'metadata'],
  ['fd20:ce::254', 128, 'metadata'],
  ['::', 128, 'unspecified'],
  ['::1', 128, 'loopback'],
  ['::ffff:0:0', 96, 'translated'],
  ['::ffff:0:0:0', 96, 'translated'],
  ['::', 96, 'translated'],
  ['64:ff9b::', 32, 'translated'],
  ['2002::', 16, 'translated'],
  ['2001::', 32, 'translated'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'reserved'],
  ['3fff::', 20, 'reserved'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'multicast'],
];

/** The 4 or 16 bytes of an address in its usual text form; `undefined` for a name, a zone or an odd spelling. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::');
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const groups = [...front, ...new Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

interface CompiledRange {
  readonly prefix: Uint8Array;
  readonly bits: number;
  readonly kind: AddressKind;
}

const compiled = {
  4: ipv4Ranges.map(compileRange),
  16: ipv6Ranges.map(compileRange),
} as const;

function compileRange([text, bits, kind]: Range): CompiledRange {
  return { prefix: parseAddress(text) ?? new Uint8Array(), bits, kind };
}

/** What is special about an address; `undefined` for a public one. */
export function kindOfAddress(address: Uint8Array): AddressKind | undefined {
  const ranges = address.length === 4 ? compiled[4] : compiled[16];
  const kind = ranges.find(({ prefix, bits }) => sharesPrefix(address, prefix, bits))?.kind;
  // Of IPv6 only 2000::/3 has been given out for general use.
  if (kind === undefined && address.length === 16 && ((address[0] ?? 0) & 0xe0) !== 0x20) return 'reserved';
  return kind;
}

/** Whether the first `bits` of two addresses are the same; never across the two families. */
export function sharesPrefix(address: Uint8Array, prefix: Uint8Array, bits: number): boolean {
  if (address.length !== prefix.length) return false;
  const whole = bits >> 3;
  for (let index = 0; index < whole; index += 1) if (address[index] !== prefix[index]) return false;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return mask === 0 || ((address[whole] ?? 0) & mask) === ((prefix[whole] ?? 0) & mask);
}

/**
 * Why a connection to `address` is refused; `undefined` when it may be made. `allowPrivate` admits the addresses of
 * this machine and its networks, for hosts that a person named; what no service can live at stays refused.
 */
export function refusalOf(address: string, allowPrivate: boolean): AddressKind | 'unreadable' | undefined {
  const bytes = parseAddress(address);
  if (bytes === undefined) return 'unreadable';
  const kind = kindOfAddress(bytes);
  if (kind === undefined) return undefined;
  if (allowPrivate && (privateKinds as readonly AddressKind[]).includes(kind)) return undefined;
  return kind;
}

const privateKinds = ['loopback', 'private', 'link-local', 'shared'] as const;
