import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kindOfAddress, parseAddress, refusalOf } from './address.ts';

function kind(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? 'not an address' : kindOfAddress(address);
}

describe('an address', () => {
  it.each([
    ['93.184.216.34', undefined],
    ['1.1.1.1', undefined],
    ['172.15.255.255', undefined],
    ['172.32.0.0', undefined],
    ['100.63.255.255', undefined],
    ['2606:4700::1111', undefined],
    ['2a00:1450:4001::200e', undefined],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fec0::1', 'private'],
    ['100.64.0.1', 'shared'],
    ['100.127.255.255', 'shared'],
    ['169.254.1.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['::ffff:127.0.0.1', 'translated'],
    ['::ffff:8.8.8.8', 'translated'],
    ['::127.0.0.1', 'translated'],
    ['64:ff9b::7f00:1', 'translated'],
    ['64:ff9b:1::a00:1', 'translated'],
    ['2002:7f00:1::', 'translated'],
    ['2001:0:4136:e378::1', 'translated'],
    ['fe80::1%eth0', 'not an address'],
    ['0x7f.1', 'not an address'],
    ['2130706433', 'not an address'],
    ['127.1', 'not an address'],
    ['0177.0.0.1', 'not an address'],
    ['localhost', 'not an address'],
  ])('%s is %s', (text, expected) => expect(kind(text)).toBe(expected));

  it('of version 4 is classified as a list of blocks classifies it', () => {
    const blocks = new BlockList();
    for (const [prefix, bits] of [
      ['0.0.0.0', 8],
      ['10.0.0.0', 8],
      ['100.64.0.0', 10],
      ['127.0.0.0', 8],
      ['169.254.0.0', 16],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['224.0.0.0', 3],
    ] as const) {
      blocks.addSubnet(prefix, bits);
    }
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        if (blocks.check(text)) expect(kind(text)).toBeDefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('of version 6 is read as the parser of URLs reads it', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseAddress(text) ?? new Uint8Array();
        const groups = Array.from({ length: 8 }, (_, index) =>
          (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
        );
        expect(new URL(`http://[${groups.join(':')}]`).hostname).toBe(new URL(`http://[${text}]`).hostname);
      }),
      { numRuns: 2000 },
    );
  });

  it('is read exactly when it is one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6(), fc.domain()), (text) => {
        expect(parseAddress(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes('%'));
      }),
    );
  });
});

describe('a host that a person named', () => {
  it.each(['127.0.0.1', '::1', '10.0.0.1', 'fd12::1', '169.254.1.1', '100.64.0.1', '8.8.8.8'])(
    'may be at %s',
    (text) => expect(refusalOf(text, true)).toBeUndefined(),
  );

  it.each([
    '169.254.169.254',
    '0.0.0.0',
    '::',
    '224.0.0.1',
    '::ffff:169.254.169.254',
    '255.255.255.255',
    'x',
  ])('may not be at %s even so', (text) => expect(refusalOf(text, true)).toBeDefined());
});
