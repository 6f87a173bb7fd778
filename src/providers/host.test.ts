import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalHost, canonicalTarget, registrableDomain } from './host.ts';

describe('canonical host', () => {
  it.each([
    ['API.GitHub.com', 'api.github.com'],
    ['api.github.com.', 'api.github.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example', 'xn--bcher-kva.example'],
    ['api。github。com', 'api.github.com'],
    ['my_bucket.s3.example', 'my_bucket.s3.example'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[FE80::0001]', '[fe80::1]'],
  ])('%s is %s', (text, host) => expect(canonicalHost(text)).toBe(host));

  it.each([
    '',
    '.',
    '..',
    'a..b',
    'api.github.com..',
    '.github.com',
    'api.github.com@evil.example',
    'user:pass@api.github.com',
    'api.github.com%2eevil.example',
    'api%2egithub.com',
    'api.github.com/x',
    'api.github.com\\x',
    'api.github.com#x',
    'api.github.com?x',
    'api github.com',
    'api.github.com\n',
    'api.github.com\0',
    '-a.example',
    'a-.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(127)}example`,
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0x7f000001',
    '127.0.0.01',
    '127.0.0.256',
    '1.2.3.4.5',
    '[::1',
    '::1',
    '[fe80::1%eth0]',
    '[::ffff:127.0.0.1]x',
    '*.github.com',
  ])('refuses %j', (text) => expect(canonicalHost(text)).toBeUndefined());

  it('is its own canonical form, whatever the case and with a trailing dot', () => {
    fc.assert(
      fc.property(fc.domain(), fc.boolean(), (domain, dot) => {
        const host = canonicalHost(domain);
        fc.pre(host !== undefined);
        expect(canonicalHost(host)).toBe(host);
        expect(canonicalHost(`${domain.toUpperCase()}${dot ? '.' : ''}`)).toBe(host);
      }),
    );
  });

  it('contains only labels and dots, whatever it was made of', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.webAuthority()), (text) => {
        expect(canonicalHost(text) ?? 'x').toMatch(/^(?:[a-z0-9._-]+|\[[0-9a-f:]+\])$/);
      }),
    );
  });
});

describe('canonical target', () => {
  it.each([
    ['API.github.com:443', { host: 'api.github.com', port: 443 }],
    ['api.github.com', { host: 'api.github.com', port: 443 }],
    ['[::1]:8443', { host: '[::1]', port: 8443 }],
  ])('%s', (text, target) => expect(canonicalTarget(text, 443)).toEqual(target));

  it.each([
    'a.example:',
    'a.example:0',
    'a.example:65536',
    'a.example:443:443',
    'a.example:+443',
    'a.example: 443',
    ':443',
    'u@a.example:443',
    '::1:443',
  ])('refuses %j', (text) => expect(canonicalTarget(text, 443)).toBeUndefined());
});

describe('registrable domain', () => {
  it.each([
    ['api.github.com', 'github.com'],
    ['a.b.example.co.uk', 'example.co.uk'],
    ['octocat.github.io', 'octocat.github.io'],
    ['acme.myshopify.com', 'acme.myshopify.com'],
    ['storage.googleapis.com', 'googleapis.com'],
    ['googleapis.com', 'googleapis.com'],
  ])('of %s is %s', (host, domain) => expect(registrableDomain(host)).toBe(domain));

  it.each(['com', 'co.uk', 'github.io', 'localhost', '127.0.0.1', '[::1]'])('%s has none', (host) =>
    expect(registrableDomain(host)).toBeUndefined(),
  );
});
