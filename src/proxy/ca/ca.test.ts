import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromBER } from 'asn1js';
import { Certificate } from 'pkijs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addressBytes, createCertificateAuthority } from './authority.ts';
import { makeLeaf } from './certificate.ts';
import { objectIdentifier, octetString, pem, positiveInteger, time } from './der.ts';
import { createKeySupply, generateKeyPair } from './keys.ts';

const run = promisify(execFile);
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authsome-ca-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function authorityFor(...hosts: readonly string[]) {
  return createCertificateAuthority({ runId: 'run_1', hosts, nowMs: Date.now, randomBytes });
}

/** A leaf for a host that the authority’s own checks would not let us ask for. */
function leafPemOf(authority: ReturnType<typeof authorityFor>, host: string): string {
  const context = authority.contextFor(host) as unknown as { context: { getCertificate(): Buffer } };
  return pem('CERTIFICATE', context.context.getCertificate());
}

async function verify(caPem: string, leafPem: string, host: string): Promise<string> {
  const ca = join(directory, 'ca.pem');
  const leaf = join(directory, 'leaf.pem');
  await writeFile(ca, caPem);
  await writeFile(leaf, leafPem);
  const name =
    addressBytes(host) === undefined
      ? ['-verify_hostname', host]
      : ['-verify_ip', host.replace(/^\[|\]$/g, '')];
  try {
    const { stdout } = await run('openssl', [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      ...name,
      '-CAfile',
      ca,
      leaf,
    ]);
    return stdout.trim().endsWith('OK') ? 'OK' : stdout;
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

describe('OpenSSL accepts', () => {
  for (const host of ['api.example.test', 'deep.below.example.test', '192.0.2.7', '[2001:db8::7]']) {
    it(`a leaf for ${host}`, async () => {
      const authority = authorityFor('example.test', '192.0.2.7', '[2001:db8::7]');
      expect(await verify(authority.pem, leafPemOf(authority, host), host)).toBe('OK');
    });
  }
});

describe('OpenSSL refuses, even with the key,', () => {
  const cases: readonly (readonly [name: string, hosts: readonly string[], host: string])[] = [
    ['a leaf for a host outside the constraints', ['example.test'], 'example.org'],
    ['a leaf for a host that merely ends alike', ['example.test'], 'notexample.test'],
    ['a leaf for an address where only names are routed', ['example.test'], '192.0.2.7'],
    ['a leaf for an IPv6 address where only IPv4 is routed', ['192.0.2.7'], '[2001:db8::7]'],
    ['a leaf for another address', ['192.0.2.7'], '192.0.2.8'],
    ['a leaf for a name where only addresses are routed', ['192.0.2.7'], 'example.test'],
    ['any leaf where nothing is routed', [], 'example.test'],
  ];
  for (const [name, hosts, host] of cases) {
    it(name, async () => {
      const authority = authorityFor(...hosts);
      expect(authority.covers(host)).toBe(false);
      expect(await verify(authority.pem, leafPemOf(authority, host), host)).toMatch(/subtree violation/);
    });
  }
});

it('the CA is what RFC 5280 asks, as another implementation reads it', () => {
  const authority = authorityFor('api.example.test');
  const der = new X509Certificate(authority.pem).raw;
  const { result } = fromBER(new Uint8Array(der).buffer);
  const certificate = new Certificate({ schema: result });
  const byId = new Map(certificate.extensions?.map((extension) => [extension.extnID, extension]));
  expect(certificate.version).toBe(2);
  expect(byId.get('2.5.29.19')).toMatchObject({
    critical: true,
    parsedValue: { cA: true, pathLenConstraint: 0 },
  });
  expect(byId.get('2.5.29.15')?.critical).toBe(true);
  expect(byId.get('2.5.29.30')?.critical).toBe(true);
  expect(byId.get('2.5.29.14')).toBeDefined();
  expect(byId.get('2.5.29.35')).toBeDefined();
  const lifetimeMs = certificate.notAfter.value.getTime() - certificate.notBefore.value.getTime();
  expect(lifetimeMs).toBe(24 * 3_600_000);
  expect(certificate.notBefore.value.getTime()).toBeLessThanOrEqual(Date.now() - 3_590_000);
});

it('a leaf carries its host, no longer life than its CA, and cannot sign', () => {
  const authority = authorityFor('api.example.test');
  const leaf = new X509Certificate(leafPemOf(authority, 'api.example.test'));
  const ca = new X509Certificate(authority.pem);
  expect(leaf.subjectAltName).toBe('DNS:api.example.test');
  expect(leaf.validTo).toBe(ca.validTo);
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
});

it('a context is made once for each host, and the number of contexts is bounded', () => {
  const authority = authorityFor('example.test');
  const first = authority.contextFor('a.example.test');
  expect(authority.contextFor('a.example.test')).toBe(first);
  expect(authority.contextFor('b.example.test')).not.toBe(first);
});

it('two runs share no key', () => {
  const [one, two] = [authorityFor('example.test'), authorityFor('example.test')];
  expect(new X509Certificate(one.pem).publicKey.equals(new X509Certificate(two.pem).publicKey)).toBe(false);
});

it('a supply gives no key twice, whether it was ready or made at once', () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const supply = createKeySupply();
  const atOnce = [supply.take(), supply.take()];
  vi.runAllTimers();
  vi.useRealTimers();
  const all = [...atOnce, supply.take(), supply.take()].flatMap(({ ca, leaf }) => [ca, leaf]);
  const points = new Set(all.map(({ publicKey }) => Buffer.from(publicKey).toString('hex')));
  expect(points.size).toBe(8);
});

it('serials are positive and as short as DER wants them', () => {
  expect(positiveInteger(Buffer.from([0, 0, 0x7f])).toString('hex')).toBe('02017f');
  expect(positiveInteger(Buffer.from([0x80])).toString('hex')).toBe('02020080');
  expect(positiveInteger(Buffer.from([0])).toString('hex')).toBe('020100');
  const authority = createCertificateAuthority({
    runId: 'r',
    hosts: ['a.test'],
    nowMs: Date.now,
    randomBytes: (size) => Buffer.alloc(size, 0xff),
  });
  expect(new X509Certificate(authority.pem).serialNumber).toMatch(/^7F/);
});

it('times are UTCTime until 2049 and GeneralizedTime from 2050', () => {
  expect(
    time(Date.UTC(2049, 11, 31, 23, 59, 59))
      .toString('latin1')
      .slice(2),
  ).toBe('491231235959Z');
  expect(
    time(Date.UTC(2050, 0, 1))
      .toString('latin1')
      .slice(2),
  ).toBe('20500101000000Z');
});

it('object identifiers are written in base 128', () => {
  expect(objectIdentifier('1.2.840.113549').toString('hex')).toBe('06062a864886f70d');
});

it('a PEM never has an empty line, whatever the length', () => {
  for (let size = 1; size < 200; size += 1) expect(pem('X', Buffer.alloc(size, 7))).not.toContain('\n\n');
});

it('lengths of every size are written in as few bytes as DER wants', () => {
  expect(octetString(Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('047f');
  expect(octetString(Buffer.alloc(128)).subarray(0, 3).toString('hex')).toBe('048180');
  expect(octetString(Buffer.alloc(256)).subarray(0, 4).toString('hex')).toBe('04820100');
  expect(octetString(Buffer.alloc(65_536)).subarray(0, 5).toString('hex')).toBe('0483010000');
});

it('a run with ten thousand hosts has a CA that still verifies', async () => {
  const authority = authorityFor(...Array.from({ length: 10_000 }, (_, index) => `api${index}.example.test`));
  expect(
    await verify(authority.pem, leafPemOf(authority, 'api9999.example.test'), 'api9999.example.test'),
  ).toBe('OK');
});

it('a hundred leaves of varying signature length all load', () => {
  const authority = authorityFor('example.test');
  for (let index = 0; index < 100; index += 1) {
    expect(() => authority.contextFor(`h${index}.example.test`)).not.toThrow();
  }
});

it('a leaf is refused by a CA that did not sign it', async () => {
  const key = generateKeyPair();
  const authority = authorityFor('example.test');
  const forged = makeLeaf({
    host: { dnsName: 'a.example.test' },
    publicKey: key.publicKey,
    issuer: { name: 'authsome run run_1', ...key },
    serial: Buffer.from([1]),
    notBeforeMs: Date.now() - 1000,
    notAfterMs: Date.now() + 100_000,
  });
  expect(await verify(authority.pem, forged, 'a.example.test')).not.toBe('OK');
});

it('addresses are read in every spelling', () => {
  expect(Buffer.from(addressBytes('[::ffff:192.0.2.1]') ?? []).toString('hex')).toBe(
    '00000000000000000000ffffc0000201',
  );
  expect(Buffer.from(addressBytes('2001:db8::1') ?? []).toString('hex')).toBe(
    '20010db8000000000000000000000001',
  );
  expect(addressBytes('::')).toEqual(Buffer.alloc(16));
  expect(addressBytes('a.test')).toBeUndefined();
});
