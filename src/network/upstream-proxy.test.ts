import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { parseProxyEnvironment, proxyFor } from './upstream-proxy.ts';

const proxied = { HTTPS_PROXY: 'http://proxy.corp:3128' };

function goesThrough(env: Record<string, string>, host: string, port = 443): string | undefined {
  return proxyFor(parseProxyEnvironment({ ...proxied, ...env }), host, port)?.host;
}

describe('the proxy variables', () => {
  it('name nothing when they are not set or empty', () => {
    expect(proxyFor(parseProxyEnvironment({}), 'example.com', 443)).toBeUndefined();
    expect(proxyFor(parseProxyEnvironment({ HTTPS_PROXY: '' }), 'example.com', 443)).toBeUndefined();
  });

  it.each([
    ['http://proxy.corp:3128', 'http', 'proxy.corp', 3128],
    ['proxy.corp:3128', 'http', 'proxy.corp', 3128],
    ['https://proxy.corp', 'https', 'proxy.corp', 443],
    ['socks5://10.0.0.1', 'socks5', '10.0.0.1', 1080],
    ['socks5h://[fd00::1]:9', 'socks5h', 'fd00::1', 9],
  ])('read %s', (text, protocol, host, port) => {
    expect(parseProxyEnvironment({ HTTPS_PROXY: text }).https).toMatchObject({ protocol, host, port });
  });

  it('count in lower case first, and ALL_PROXY last', () => {
    const rules = parseProxyEnvironment({
      https_proxy: 'http://lower:1',
      HTTPS_PROXY: 'http://upper:1',
      ALL_PROXY: 'socks5h://all:1',
    });
    expect(proxyFor(rules, 'example.com', 443)?.host).toBe('lower');
    expect(proxyFor(rules, 'example.com', 80)?.host).toBe('all');
  });

  it('keep their password out of sight', () => {
    const { https } = parseProxyEnvironment({ HTTPS_PROXY: 'http://ada:s%40cret@proxy.corp:3128' });
    expect(https?.credentials?.()).toEqual({ username: 'ada', password: 's@cret' });
    expect(`${inspect(https, { depth: 9 })}${JSON.stringify(https)}`).not.toMatch(/cret|ada/);
  });

  it.each([
    'ftp://proxy',
    'http://',
    'socks4://u:hunter2@proxy',
    'http://u:hunter2%zz@proxy',
    'http://u:hunter2%0d%0a@p',
    '://',
  ])('refuse %s by the name of the variable alone', (text) => {
    let error: unknown;
    try {
      parseProxyEnvironment({ ALL_PROXY: text });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AuthsomeError);
    const { code, message, hint } = error as AuthsomeError;
    expect(code).toBe('Usage');
    expect(message).toContain('ALL_PROXY');
    expect(`${message} ${hint}`).not.toContain('hunter2');
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['*', 'example.com', 443, false],
    ['example.com', 'example.com', 443, false],
    ['example.com', 'api.example.com', 443, false],
    ['.example.com', 'api.example.com', 443, false],
    ['.example.com', 'example.com', 443, false],
    ['*.example.com', 'api.example.com', 443, false],
    ['example.com', 'notexample.com', 443, true],
    ['example.com', 'example.com.evil.test', 443, true],
    ['example.com:8443', 'example.com', 443, true],
    ['example.com:8443', 'example.com', 8443, false],
    ['a.test, b.test', 'b.test', 443, false],
    ['a.test b.test', 'b.test', 443, false],
    ['EXAMPLE.com', 'example.com', 443, false],
    ['10.0.0.0/8', '10.9.8.7', 443, false],
    ['10.0.0.0/8', '11.0.0.1', 443, true],
    ['10.1.2.3', '10.1.2.3', 443, false],
    ['10.1.2.3:8080', '10.1.2.3', 443, true],
    ['10.1.2.3:8080', '10.1.2.3', 8080, false],
    ['fd00::/8', 'fd12::1', 443, false],
    ['fd12::1', 'fd12:0::1', 443, false],
    ['[fd12::1]:8080', 'fd12::1', 443, true],
    ['[fd12::1]:8080', 'fd12::1', 8080, false],
    ['', 'example.com', 443, true],
  ])('%j on %s:%i goes through the proxy: %s', (list, host, port, expected) => {
    expect(goesThrough({ NO_PROXY: list }, host, port)).toBe(expected ? 'proxy.corp' : undefined);
  });

  it('always has this machine on it', () => {
    for (const host of ['localhost', 'app.localhost', '127.0.0.1', '127.9.9.9', '::1']) {
      expect(goesThrough({}, host)).toBeUndefined();
    }
    expect(goesThrough({}, '127.0.0.1.example.com')).toBe('proxy.corp');
  });

  it('may contain anything', () => {
    fc.assert(
      fc.property(fc.string(), fc.domain(), (list, host) => {
        expect(['proxy.corp', undefined]).toContain(goesThrough({ NO_PROXY: list }, host));
      }),
    );
  });
});
