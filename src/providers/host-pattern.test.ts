import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registrableDomain } from './host.ts';
import { parseHostPattern } from './host-pattern.ts';

describe('host pattern', () => {
  it.each([
    ['api.github.com', { kind: 'exact', host: 'api.github.com', port: 443, pathPrefix: '/' }],
    ['API.GitHub.com.', { kind: 'exact', host: 'api.github.com', port: 443, pathPrefix: '/' }],
    ['api.example.com:8443', { kind: 'exact', host: 'api.example.com', port: 8443, pathPrefix: '/' }],
    ['https://slack.com/api/', { kind: 'exact', host: 'slack.com', port: 443, pathPrefix: '/api' }],
    ['slack.com/api', { kind: 'exact', host: 'slack.com', port: 443, pathPrefix: '/api' }],
    ['HTTPS://slack.com', { kind: 'exact', host: 'slack.com', port: 443, pathPrefix: '/' }],
    ['*.sentry.io', { kind: 'wildcard', host: 'sentry.io', port: 443, pathPrefix: '/' }],
    [
      'https://*.api.mailchimp.com/3.0',
      { kind: 'wildcard', host: 'api.mailchimp.com', port: 443, pathPrefix: '/3.0' },
    ],
    ['*.acme.github.io', { kind: 'wildcard', host: 'acme.github.io', port: 443, pathPrefix: '/' }],
    ['[::1]:8443', { kind: 'exact', host: '[::1]', port: 8443, pathPrefix: '/' }],
    ['localhost:8443', { kind: 'exact', host: 'localhost', port: 8443, pathPrefix: '/' }],
  ])('%s', (text, pattern) =>
    expect(parseHostPattern(text)).toMatchObject({ text, expression: undefined, ...pattern }),
  );

  it.each([
    ['bücher.example', 'xn--bcher-kva.example'],
    ['https://*.bücher.example:8443/api/', '*.xn--bcher-kva.example:8443/api'],
    ['https://\u0430pi.github.com', 'xn--pi-6kc.github.com'],
    ['api.git\u200bhub\u3002com', 'api.github.com'],
  ])('%s is shown as %s, which looks like no other host', (written, text) =>
    expect(parseHostPattern(written)).toEqual({ ...parseHostPattern(text), text }),
  );

  it.each([
    ['regex:^([a-z0-9-]+\\.)*googleapis\\.com$', 'googleapis.com'],
    ['regex:^(?:[a-z0-9-]+\\.)?api\\.example\\.co\\.uk$', 'example.co.uk'],
    ['regex:^[a-z0-9-]+-aiplatform\\.googleapis\\.com$', 'googleapis.com'],
    ['regex:^(?:api|uploads)\\.github\\.com$', 'github.com'],
    ['regex:^[a-z]+\\.acme\\.github\\.io$', 'acme.github.io'],
    ['regex:^example\\.com$', 'example.com'],
    ['regex:^(?:eu\\.|us\\.)example\\.com$', 'example.com'],
  ])('%s ends in %s', (text, host) =>
    expect(parseHostPattern(text)).toMatchObject({ kind: 'regex', host, port: 443 }),
  );

  it.each([
    'regex:.*googleapis.*',
    'regex:^.*googleapis.*$',
    'regex:.*\\.googleapis\\.com',
    'regex:^.*googleapis\\.com$',
    'regex:^.*\\.googleapis.com$',
    'regex:^[a-z.-]*googleapis\\.com$',
    'regex:^(?:.*)?googleapis\\.com$',
    'regex:^(?:a|b\\.)googleapis\\.com$',
    'regex:^(?:[a-z]+\\.?)*googleapis\\.com$',
    'regex:^googleapis\\.com$|^evil\\.example$',
    'regex:^(?:googleapis\\.com|evil\\.example)$',
    'regex:^googleapis\\.com.*$',
    'regex:^googleapis\\.com(?:\\.evil\\.example)?$',
    'regex:^googleapis\\.[a-z]+$',
    'regex:^.+\\.com$',
    'regex:^.+\\.co\\.uk$',
    'regex:^.+\\.github\\.io$',
    'regex:^.+\\.127\\.0\\.0\\.1$',
    'regex:^.+$',
    'regex:^10\\..+$',
    'regex:^x\\.Example\\.com$',
    'regex:',
    'regex:^(a+)+\\.example\\.com$',
  ])('refuses %s', (text) => expect(() => parseHostPattern(text)).toThrow());

  it.each([
    ['*', 'one host'],
    ['*.com', "somebody else's domain"],
    ['*.co.uk', "somebody else's domain"],
    ['*.github.io', "somebody else's domain"],
    ['*.myshopify.com', "somebody else's domain"],
    ['*.localhost', "somebody else's domain"],
    ['*.127.0.0.1', 'address'],
    ['*.*.example.com', 'one host'],
    ['a*.example.com', 'one host'],
    ['api.*.example.com', 'one host'],
    ['*example.com', 'one host'],
    ['http://api.example.com', 'https URL'],
    ['ftp://api.example.com', 'https URL'],
    ['https://user@api.example.com', 'one host'],
    ['https://api.example.com@evil.example', 'one host'],
    ['https://api.example.com:0', 'one host'],
    ['https://api.example.com\\@evil.example', 'one host'],
    ['api.example.com%2f', 'one host'],
    ['10.0.0.*', 'one host'],
    ['2130706433', 'one host'],
    ['', 'one host'],
    ['https://api.example.com/a/../b', 'path prefix'],
    ['https://api.example.com/a//b', 'path prefix'],
    ['https://api.example.com/%61', 'path prefix'],
    ['https://api.example.com/api/*', 'path prefix'],
    ['https://api.example.com/a?b', 'path prefix'],
    ['https://api.example.com/a#b', 'path prefix'],
  ])('refuses %s', (text, sentence) => expect(() => parseHostPattern(text)).toThrow(sentence));

  it('has no ranges of addresses: what looks like one is an address with a path prefix', () => {
    expect(parseHostPattern('10.0.0.0/8')).toMatchObject({
      kind: 'exact',
      host: '10.0.0.0',
      pathPrefix: '/8',
    });
  });

  it('accepts no regex that a host of another owner matches', () => {
    const piece = fc.constantFrom(
      'a',
      '[a-z]+',
      '[a-z.]*',
      '\\.',
      '.*',
      '(?:[a-z]+\\.)*',
      '(?:a|b\\.)',
      'example',
      'com',
      '?',
    );
    const labels = fc.array(fc.constantFrom('a', 'b', 'example', 'com', 'evil', 'aexample', 'test'), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), labels, (pieces, parts) => {
        const pattern =
          accepted(`regex:^${pieces.join('')}\\.com$`) ?? accepted(`regex:^${pieces.join('')}$`);
        const host = parts.join('.');
        if (pattern?.expression?.test(host) !== true) return;
        expect(registrableDomain(host)).toBe(pattern.host);
      }),
      { numRuns: 5000 },
    );
  });
});

function accepted(text: string) {
  try {
    return parseHostPattern(text);
  } catch {
    return undefined;
  }
}
