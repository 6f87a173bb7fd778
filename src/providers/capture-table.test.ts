import { describe, expect, it } from 'vitest';
import { compileCaptures, hostsOf, withCaptures } from './capture-table.ts';
import { parseProvider } from './parse/index.ts';
import { compileRoutes } from './route-table.ts';

const provider = (name: string, source: 'bundled' | 'custom', changes: object = {}) =>
  parseProvider(
    {
      name,
      auth_type: 'oauth2',
      api_url: 'api.acme.example',
      oauth: {
        authorization_url: 'https://login.acme.example/authorize',
        token_url: 'https://login.acme.example/oauth/token',
      },
      capture: {
        token_endpoints: [{ url: 'https://login.acme.example/oauth/token' }],
        secrets: { access_token: {} },
      },
      ...changes,
    },
    source,
  );
const table = compileCaptures([provider('acme', 'bundled')]);
const match = (path: string, host = 'login.acme.example', port = 443) => table?.match(host, port, path);

describe('the endpoints whose sign-ins a run takes over', () => {
  it('are none where no definition has any', () => {
    expect(compileCaptures([provider('acme', 'bundled', { capture: undefined })])).toBeUndefined();
  });

  it('match by host, port and the whole path', () => {
    expect(match('/oauth/token')).toMatchObject({
      kind: 'endpoint',
      route: { provider: 'acme', kind: 'token' },
    });
    expect(match('/oauth/token', 'api.acme.example')).toBeUndefined();
    expect(match('/oauth/token', 'login.acme.example', 8443)).toBeUndefined();
    expect(match('/oauth/token/info')).toBeUndefined();
    expect(match('/oauth')).toBeUndefined();
  });

  it.each([
    '/oauth/token/',
    '//oauth/token',
    '/oauth//token',
    '/OAuth/Token',
    '/oauth/%74oken/',
    '/oauth/%2574oken',
    '/oauth%2ftoken',
    '/oauth\\token',
    '/oauth/./token',
    '/x/../oauth/token',
    '/oauth/token;v=1',
    '/oauth/token%20',
  ])('refuse %s, which a server may take for the endpoint', (path) => {
    expect(match(path)).toMatchObject({ kind: 'refused', route: { provider: 'acme' } });
  });

  it('intercept their hosts and those of the API, and no other', () => {
    const routes = withCaptures(compileRoutes([]), table);
    expect(routes.hasHost('login.acme.example', 443)).toBe(true);
    expect(routes.hasHost('api.acme.example', 443)).toBe(true);
    expect(routes.hasHost('acme.example', 443)).toBe(false);
    expect(hostsOf(routes)).toEqual(['login.acme.example', 'api.acme.example']);
    expect(routes.match('api.acme.example', 443, '/')).toMatchObject({ kind: 'none' });
  });

  it('stay with the bundled definition where a custom one names the same', () => {
    const both = compileCaptures([provider('aaa', 'custom'), provider('zzz', 'bundled')]);
    expect(both?.match('login.acme.example', 443, '/oauth/token')?.route.provider).toBe('zzz');
  });
});
