import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHostPattern } from './host-pattern.ts';
import type { Route } from './route.ts';
import { compileRoutes } from './route-table.ts';

const route = (connection: string, text: string): Route => ({
  id: `${connection}:${text}`,
  provider: connection,
  source: 'bundled',
  connection: 'default',
  isApproved: true,
  pattern: parseHostPattern(text),
  placements: [],
  allowPrivateAddress: false,
  scrub: true,
});
const table = (...entries: readonly (readonly [string, string])[]) =>
  compileRoutes(entries.map(([connection, text]) => route(connection, text)));
const answer = (routes: ReturnType<typeof table>, host: string, path = '/', port = 443) => {
  const result = routes.match(host, port, path);
  if (result.kind === 'route') return result.route.provider;
  return result.kind === 'refused' ? result.reason : result.kind;
};

describe('route table', () => {
  it('prefers the exact host, then the longest wildcard, then a regex', () => {
    const routes = table(
      ['regex', 'regex:^([a-z]+\\.)*example\\.com$'],
      ['wide', '*.example.com'],
      ['narrow', '*.api.example.com'],
      ['exact', 'eu.api.example.com'],
    );
    expect(answer(routes, 'eu.api.example.com')).toBe('exact');
    expect(answer(routes, 'us.api.example.com')).toBe('narrow');
    expect(answer(routes, 'api.example.com')).toBe('wide');
    expect(answer(routes, 'example.com')).toBe('regex');
    expect(answer(routes, 'example.org')).toBe('none');
  });

  it('prefers the longest path prefix, by whole segments', () => {
    const routes = table(
      ['gmail', 'www.googleapis.com/gmail'],
      ['drive', 'www.googleapis.com/drive'],
      ['uploads', 'www.googleapis.com/upload/drive'],
      ['google', '*.googleapis.com'],
    );
    expect(answer(routes, 'www.googleapis.com', '/gmail')).toBe('gmail');
    expect(answer(routes, 'www.googleapis.com', '/gmail/v1?x=/drive')).toBe('gmail');
    expect(answer(routes, 'www.googleapis.com', '/upload/drive/v3')).toBe('uploads');
    expect(answer(routes, 'www.googleapis.com', '/upload/youtube')).toBe('google');
    expect(answer(routes, 'www.googleapis.com', '/gmailx/v1')).toBe('google');
    expect(answer(table(['gmail', 'www.googleapis.com/gmail']), 'www.googleapis.com', '/gmailx')).toBe(
      'none',
    );
  });

  it('says which routes were considered', () => {
    const routes = table(
      ['gmail', 'www.googleapis.com/gmail'],
      ['google', '*.googleapis.com'],
      ['other', 'a.example'],
    );
    const ids = (path: string) =>
      routes.match('www.googleapis.com', 443, path).considered.map(({ id }) => id);
    expect(ids('/gmail')).toEqual(['gmail:www.googleapis.com/gmail']);
    expect(ids('/drive')).toEqual(['gmail:www.googleapis.com/gmail', 'google:*.googleapis.com']);
    expect(routes.match('b.example', 443, '/').considered).toEqual([]);
  });

  it('refuses to choose between two connections that match equally well', () => {
    const routes = table(
      ['one', 'api.example.com'],
      ['two', 'api.example.com'],
      ['two', 'api.example.com/v2'],
    );
    expect(routes.match('api.example.com', 443, '/v1')).toMatchObject({
      kind: 'ambiguous',
      routes: [{ provider: 'one' }, { provider: 'two' }],
    });
    expect(answer(routes, 'api.example.com', '/v2/x')).toBe('two');
    const regexes = table(['one', 'regex:^a\\.example\\.com$'], ['two', 'regex:^[ab]\\.example\\.com$']);
    expect(answer(regexes, 'a.example.com')).toBe('ambiguous');
    expect(answer(regexes, 'b.example.com')).toBe('two');
  });

  it('takes a wildcard for hosts below the domain at any depth, and not for the domain itself', () => {
    const routes = table(['p', '*.example.com']);
    expect(answer(routes, 'a.example.com')).toBe('p');
    expect(answer(routes, 'a.b.example.com')).toBe('p');
    expect(answer(routes, 'example.com')).toBe('none');
    expect(answer(routes, 'aexample.com')).toBe('none');
  });

  it("keeps a wildcard off what customers registered below the provider's domain", () => {
    const routes = table(['aws', '*.amazonaws.com']);
    expect(answer(routes, 'sts.amazonaws.com')).toBe('aws');
    expect(routes.hasHost('evil.us-east-1.elb.amazonaws.com', 443)).toBe(false);
    expect(answer(routes, 'evil.us-east-1.elb.amazonaws.com')).toBe('none');
  });

  it('binds a route to its port', () => {
    const routes = table(['p', 'api.example.com'], ['q', 'api.example.com:8443']);
    expect(answer(routes, 'api.example.com', '/', 443)).toBe('p');
    expect(answer(routes, 'api.example.com', '/', 8443)).toBe('q');
    expect(answer(routes, 'api.example.com', '/', 80)).toBe('none');
    expect(routes.hasHost('api.example.com', 80)).toBe(false);
  });

  it('refuses traversals on every host it knows, and leaves other hosts alone', () => {
    const routes = table(['p', 'api.example.com'], ['w', '*.example.org']);
    expect(answer(routes, 'api.example.com', '/a/../b')).toBe('path_traversal');
    expect(answer(routes, 'x.example.org', '/a/%2e%2e/b')).toBe('path_traversal');
    expect(answer(routes, 'api.example.com', 'a')).toBe('malformed');
    expect(answer(routes, 'b.example', '/a/../b')).toBe('none');
  });

  it('passes encoded slashes where every reading leads to one route, and refuses them where not', () => {
    const wide = table(['gitlab', 'gitlab.com']);
    expect(answer(wide, 'gitlab.com', '/api/v4/projects/acme%2Fsite')).toBe('gitlab');
    const prefixed = table(['api', 'gitlab.com/api'], ['git', 'gitlab.com']);
    expect(answer(prefixed, 'gitlab.com', '/api/v4/projects/acme%2Fsite')).toBe('api');
    expect(answer(prefixed, 'gitlab.com', '/api%2Fv4')).toBe('path_ambiguous');
    expect(answer(prefixed, 'gitlab.com', '//api/v4')).toBe('path_ambiguous');
    expect(answer(prefixed, 'gitlab.com', '/x%5Capi')).toBe('git');
    const narrow = table(['drive', 'www.googleapis.com/drive']);
    expect(answer(narrow, 'www.googleapis.com', '/drive%2Fv3')).toBe('path_ambiguous');
    expect(answer(narrow, 'www.googleapis.com', '\\drive')).toBe('malformed');
    expect(answer(narrow, 'www.googleapis.com', '/\\drive')).toBe('path_ambiguous');
    expect(answer(narrow, 'www.googleapis.com', '/%64rive/v3')).toBe('drive');
    expect(answer(narrow, 'www.googleapis.com', '/docs%2Fx')).toBe('none');
  });

  it('never gives a credential to a host that is not the pattern or below it', () => {
    const routes = table(
      ['e', 'api.example.com'],
      ['w', '*.sentry.io'],
      ['r', 'regex:^([a-z0-9-]+\\.)*googleapis\\.com$'],
    );
    const label = fc.constantFrom(
      'api',
      'example',
      'com',
      'sentry',
      'io',
      'googleapis',
      'evil',
      'x-googleapis',
      'xn--a',
    );
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), (labels) => {
        const host = labels.join('.');
        const owned =
          host === 'api.example.com' || host.endsWith('.sentry.io') || `.${host}`.endsWith('.googleapis.com');
        expect(routes.hasHost(host, 443)).toBe(owned);
        expect(routes.match(host, 443, '/').kind).toBe(owned ? 'route' : 'none');
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps a prefixed route to paths that every server reads as below the prefix', () => {
    const routes = table(['p', 'a.example/one/two']);
    const piece = fc.constantFrom(
      'one',
      'two',
      'x',
      '/',
      '..',
      '.',
      '%2e',
      '%2f',
      '%5c',
      '\\',
      '%25',
      '%74wo',
      ';',
      '?',
      '#',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const raw = `/${pieces.join('')}`;
        if (routes.match('a.example', 443, raw).kind !== 'route') return;
        const path = raw.split('?')[0] ?? '';
        for (const reading of [path, decode(path), decode(decode(path))]) {
          const seen = new URL(`https://a.example${reading.replaceAll('?', '%3F').replaceAll('#', '%23')}`)
            .pathname;
          expect(`${decode(seen)}/`).toMatch(/^\/one\/two[/]/);
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('answers from what was compiled, whatever the size of the table', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      route(`p${index}`, `api${index}.example${index}.com`),
    );
    const routes = compileRoutes(many);
    const first = routes.match('api9999.example9999.com', 443, '/v1/x');
    expect(first).toMatchObject({ kind: 'route', route: { provider: 'p9999' } });
    // The very same object again: a warm match builds nothing.
    expect(routes.match('api9999.example9999.com', 443, '/v1/y')).toBe(first);
    expect(routes.match('api10000.example.com', 443, '/').kind).toBe('none');
  });
});

function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

describe('unapproved routes', () => {
  const unapproved = (connection: string, text: string): Route => ({
    ...route(connection, text),
    isApproved: false,
  });

  it('match only to be refused', () => {
    const routes = compileRoutes([route('acme', 'api.acme.example'), unapproved('acme', 'evil.example/a')]);
    expect(routes.hasHost('evil.example', 443)).toBe(true);
    expect(answer(routes, 'evil.example', '/a/b')).toBe('unapproved');
    expect(answer(routes, 'evil.example', '/b')).toBe('none');
    expect(answer(routes, 'api.acme.example')).toBe('acme');
    expect(routes.unapprovedAt('evil.example', 443).map(({ pattern }) => pattern.text)).toEqual([
      'evil.example/a',
    ]);
    expect(routes.unapprovedAt('api.acme.example', 443)).toEqual([]);
    expect(routes.unapprovedAt('other.example', 443)).toEqual([]);
  });

  it('take nothing from the routes of others, however specific they are', () => {
    const routes = compileRoutes([
      route('victim', '*.victim.example'),
      unapproved('evil', 'api.victim.example/gists'),
    ]);
    expect(answer(routes, 'api.victim.example', '/gists')).toBe('victim');
    expect(routes.unapprovedAt('api.victim.example', 443)).toEqual([]);
  });

  it('are refused for a path with two readings, too', () => {
    const routes = compileRoutes([unapproved('acme', 'evil.example/a')]);
    expect(answer(routes, 'evil.example', '/a/../b')).toBe('path_traversal');
  });
});

describe('a route of a custom definition', () => {
  const custom = (connection: string, text: string): Route => ({
    ...route(connection, text),
    source: 'custom',
  });

  it.each([
    ['a longer path', 'api.victim.example', 'api.victim.example/gists'],
    ['the exact host', '*.victim.example', 'api.victim.example'],
    ['the exact host of a regex', 'regex:^[a-z]+\\.victim\\.example$', 'api.victim.example'],
    ['a longer wildcard', '*.victim.example', '*.api.victim.example'],
    ['a wildcard of a regex', 'regex:^([a-z]+\\.)+victim\\.example$', '*.victim.example'],
  ])('takes no request from another provider by %s', (_, theirs, taken) => {
    for (const victim of [route('victim', theirs), custom('victim', theirs)]) {
      const host = taken.startsWith('*.api') ? 'eu.api.victim.example' : 'api.victim.example';
      const routes = compileRoutes([victim, custom('evil', taken), custom('evil', 'evil.example')]);
      const result = routes.match(host, 443, '/gists/1');
      expect(result.kind === 'ambiguous' && result.routes.map(({ provider }) => provider)).toEqual([
        'victim',
        'evil',
      ]);
      expect(result.considered).toHaveLength(2);
      expect(answer(routes, 'evil.example')).toBe('evil');
      // Named alone, each has what it claims.
      expect(answer(compileRoutes([victim]), host, '/gists/1')).toBe('victim');
      expect(answer(compileRoutes([custom('evil', taken)]), host, '/gists/1')).toBe('evil');
    }
  });

  it('leaves to the other provider what only that one covers', () => {
    const routes = compileRoutes([
      route('victim', 'api.victim.example'),
      custom('evil', 'api.victim.example/gists'),
    ]);
    expect(answer(routes, 'api.victim.example', '/user')).toBe('victim');
    expect(answer(routes, 'api.victim.example', '/gistsx')).toBe('victim');
    expect(answer(routes, 'api.victim.example', '/gists')).toBe('ambiguous');
    expect(answer(routes, 'api.victim.example', '/gists/')).toBe('ambiguous');
  });

  it('does not keep a bundled one from a more specific place', () => {
    const routes = compileRoutes([
      custom('everything', '*.victim.example'),
      route('victim', 'api.victim.example/v1'),
    ]);
    expect(answer(routes, 'api.victim.example', '/v1/user')).toBe('victim');
    expect(answer(routes, 'api.victim.example', '/v2')).toBe('everything');
  });

  it('competes with none on another port, at another owner, or in its own definition', () => {
    const routes = compileRoutes([
      custom('evil', 'api.victim.example:8443/a'),
      custom('evil', 'api.victim.example:8443'),
      route('victim', 'api.victim.example'),
      route('other', '*.example.com'),
    ]);
    expect(answer(routes, 'api.victim.example', '/a', 8443)).toBe('evil');
    expect(answer(routes, 'api.victim.example', '/a')).toBe('victim');
  });

  it('competes with none before its host is approved', () => {
    const routes = compileRoutes([
      route('victim', 'api.victim.example'),
      { ...custom('evil', 'api.victim.example/gists'), isApproved: false },
    ]);
    expect(answer(routes, 'api.victim.example', '/gists')).toBe('victim');
  });

  it('gets no request whose path one server may read as its own', () => {
    const routes = compileRoutes([
      route('victim', 'api.victim.example'),
      custom('evil', 'api.victim.example/gists'),
    ]);
    expect(answer(routes, 'api.victim.example', '/%67ists')).toBe('ambiguous');
    expect(answer(routes, 'api.victim.example', '/x%2fgists')).not.toBe('evil');
  });
});
