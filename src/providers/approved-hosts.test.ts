import { describe, expect, it } from 'vitest';
import { definedHosts, unapprovedHosts } from './approved-hosts.ts';
import { parseProvider } from './parse/index.ts';
import type { Provider, ProviderSource } from './provider.ts';

const provider = (apiUrl: readonly string[], source: ProviderSource = 'custom'): Provider =>
  parseProvider(
    {
      name: 'acme',
      auth_type: 'api_key',
      api_url: apiUrl,
      api_key: { header_name: 'X-Key' },
      allow_loopback: true,
    },
    source,
  );
/** What a definition with the hosts of `after` asks for, where those of `before` are approved. */
const asked = (
  before: readonly string[],
  after: readonly string[],
  sources: readonly ProviderSource[] = ['custom', 'custom'],
): readonly string[] =>
  unapprovedHosts(provider(after, sources[1]), definedHosts(provider(before, sources[0])));

describe('approved hosts', () => {
  it('are those of the definition, without the scheme', () => {
    expect(definedHosts(provider(['https://api.acme.example/v1', '*.acme.example']))).toEqual({
      source: 'custom',
      hosts: ['api.acme.example/v1', '*.acme.example'],
    });
  });

  it('cover the other hosts of the same owner', () => {
    expect(asked(['api.acme.example'], ['uploads.acme.example', '*.acme.example', 'acme.example/x'])).toEqual(
      [],
    );
    expect(asked(['*.acme.co.uk'], ['api.acme.co.uk', 'regex:^[a-z]+\\.acme\\.co\\.uk$'])).toEqual([]);
    expect(asked(['www.googleapis.com/drive'], ['gmail.googleapis.com'])).toEqual([]);
  });

  it.each([
    ['another owner', ['api.acme.example'], 'api.evil.example'],
    ['a look-alike', ['api.acme.example'], 'api.acme.example.evil.example'],
    ['another name below a public suffix', ['acme.github.io'], 'evil.github.io'],
    ['another name below a country’s suffix', ['api.acme.co.uk'], 'api.evil.co.uk'],
    ['another port', ['api.acme.example'], 'api.acme.example:8443'],
    ['another address', ['127.0.0.1:9000'], '127.0.0.2:9000'],
    ['another port of an address', ['127.0.0.1:9000'], '127.0.0.1:9600'],
    ['another single label', ['intranet'], 'router'],
    ['a public suffix itself', ['acme.github.io'], 'github.io'],
  ])('do not cover %s', (_, before, added) => {
    expect(asked(before, [...before, added])).toEqual([added]);
  });

  it('let a bundled definition change its hosts, and no other', () => {
    const [before, after] = [['api.acme.example'], ['api.evil.example']];
    expect(asked(before, after, ['bundled', 'bundled'])).toEqual([]);
    expect(asked(before, after, ['bundled', 'custom'])).toEqual(after);
    expect(asked(before, after, ['custom', 'bundled'])).toEqual(after);
  });

  it('are none where nothing was approved, also for a bundled definition', () => {
    expect(unapprovedHosts(provider(['api.acme.example'], 'bundled'), undefined)).toEqual([
      'api.acme.example',
    ]);
    expect(
      unapprovedHosts(provider(['api.acme.example']), { source: 'custom', hosts: ['no host at all'] }),
    ).toEqual(['api.acme.example']);
  });
});
