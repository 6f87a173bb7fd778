import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCookieJar } from '../../../../test/support/cookie-jar.ts';
import type { AuthSessionDocument } from '../../../client/index.ts';
import { type Fixture, openFixture, plainRequest } from '../../../daemon/test-daemon.ts';
import { visitOf } from './ticket.ts';

const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };

function visit(headers: Readonly<Record<string, string>>, method = 'GET'): string {
  return visitOf(method, (name) => headers[name]);
}

describe('a request for a ticket', () => {
  it('is a person’s when a browser says so, or an old one says nothing', () => {
    expect(visit({})).toBe('person');
    expect(visit(navigation)).toBe('person');
    expect(visit({ ...navigation, 'sec-fetch-site': 'same-origin' })).toBe('person');
  });

  it('is not, when it comes from elsewhere, ahead of a person, or for no page', () => {
    for (const site of ['cross-site', 'same-site']) {
      expect(visit({ ...navigation, 'sec-fetch-site': site })).toBe('from-elsewhere');
    }
    for (const early of [
      { 'sec-purpose': 'prefetch' },
      { 'sec-purpose': 'prefetch;prerender' },
      { purpose: 'prefetch' },
      { 'x-purpose': 'preview' },
      { 'x-moz': 'prefetch' },
    ]) {
      expect(visit({ ...navigation, ...early })).toBe('not-yet');
    }
    expect(visit({}, 'HEAD')).toBe('not-a-page');
    expect(visit({ ...navigation, 'sec-fetch-dest': 'iframe' })).toBe('not-a-page');
    expect(visit({ ...navigation, 'sec-fetch-mode': 'cors' })).toBe('not-a-page');
  });
});

describe('the address that a browser is started with', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(() => fixture.close());

  async function start(connection: string): Promise<AuthSessionDocument & { readonly auth_url: string }> {
    const body = { provider: 'openai', connection, force: false };
    const response = await fixture.call('POST', '/v1/auth-sessions', body);
    return (await response.json()) as AuthSessionDocument & { readonly auth_url: string };
  }
  const stateOf = async (id: string) =>
    (await (await fixture.call('GET', `/v1/auth-sessions/${id}`)).json()) as AuthSessionDocument;

  it('sets a cookie that no script, and no other site’s form, has', async () => {
    const { auth_url: url, session_id: id } = await start('cookie');
    const { status, headers } = await plainRequest(fixture.daemon.url, 'GET', new URL(url).pathname, {});
    expect(status).toBe(303);
    expect(headers.location).toBe(`/auth/sessions/${id}`);
    expect(headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^authsome_${id}=[\\w-]{43}; Path=/auth; Max-Age=7200; HttpOnly; SameSite=Lax$`),
      ),
    ]);
  });

  it('knows its browser beside a cookie that another server at this address has set', async () => {
    const { auth_url: url, session_id: id } = await start('tossed');
    const opened = await plainRequest(fixture.daemon.url, 'GET', new URL(url).pathname, {});
    const [own = ''] = String(opened.headers['set-cookie']).split(';');
    const page = async (cookie: string) =>
      (await plainRequest(fixture.daemon.url, 'GET', `/auth/sessions/${id}`, { cookie })).status;
    expect(await page(`authsome_${id}=of-another-port; ${own}`)).toBe(200);
    expect(await page(`authsome_${id}=of-another-port`)).toBe(404);
  });

  it('leads straight to the provider when nothing is to be asked', async () => {
    const body = { provider: 'github', connection: 'direct', force: false };
    const begun = await fixture.call('POST', '/v1/auth-sessions', body);
    const { session_id: id } = (await begun.json()) as AuthSessionDocument;
    const client = { client_id: 'Iv1.client', client_secret: '' };
    const call = await fixture.call('POST', `/v1/auth-sessions/${id}/client`, client);
    const { auth_url: url, provider_url: atProvider } = (await call.json()) as AuthSessionDocument;
    expect(url).not.toContain('state=');
    const answer = await createCookieJar().fetch(url ?? '');
    expect([answer.status, answer.headers.get('location')]).toEqual([303, atProvider]);
    expect(atProvider).toMatch(/^https:\/\/github\.com\/login\/oauth\/authorize\?/);
  });

  it('is used up by a person’s visit only', async () => {
    const { auth_url: url, session_id: id } = await start('visits');
    const path = new URL(url).pathname;
    const attempts: readonly [string, Record<string, string>, number][] = [
      ['HEAD', {}, 403],
      ['POST', {}, 404],
      ['GET', { host: 'evil.example' }, 403],
      ['GET', { ...navigation, 'sec-purpose': 'prefetch;prerender' }, 503],
      ['GET', { ...navigation, 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'same-origin' }, 403],
      ['GET', { ...navigation, 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' }, 403],
      ['GET', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', 'sec-fetch-site': 'same-origin' }, 403],
      ['GET', { ...navigation, 'sec-fetch-site': 'cross-site' }, 200],
    ];
    for (const [method, headers, status] of attempts) {
      const answer = await plainRequest(fixture.daemon.url, method, path, headers);
      expect([method, headers, answer.status]).toEqual([method, headers, status]);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await stateOf(id)).in_browser).toBe(false);
    expect((await createCookieJar().fetch(url)).status).toBe(200);
    expect((await stateOf(id)).in_browser).toBe(true);
  });

  it('leads on from a link elsewhere in a second step, and not round and round', async () => {
    const { auth_url: url } = await start('linked');
    const path = new URL(url).pathname;
    const foreign = { ...navigation, 'sec-fetch-site': 'cross-site' };
    const first = await plainRequest(fixture.daemon.url, 'GET', path, foreign);
    expect(first.text).toContain(`<meta http-equiv="refresh" content="0; url=${path}?step=2">`);
    const again = await plainRequest(fixture.daemon.url, 'GET', `${path}?step=2`, foreign);
    expect(again.text).not.toContain('http-equiv="refresh"');
    expect(again.text).toContain(`href="${path}?step=2"`);
  });

  it('moves to the name that the cookies belong to', async () => {
    const { auth_url: url } = await start('localhost');
    const { host, pathname, port } = new URL(url);
    const answer = await plainRequest(fixture.daemon.url, 'GET', pathname, { host: `localhost:${port}` });
    expect([answer.status, answer.headers.location]).toEqual([303, `http://${host}${pathname}`]);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('says the same of a wrong ticket, of another’s page and of no sign-in at all', async () => {
    const { auth_url: url, session_id: id } = await start('guessed');
    const page = (path: string) => plainRequest(fixture.daemon.url, 'GET', path, {});
    const wrong = await page(`/auth/sessions/${id}/${'x'.repeat(32)}`);
    expect(wrong.status).toBe(404);
    for (const path of [`/auth/sessions/${id}`, '/auth/sessions/ses_x', '/auth/sessions/ses_x/y']) {
      expect(await page(path)).toMatchObject({ status: 404, text: wrong.text });
    }
    expect((await createCookieJar().fetch(url)).status).toBe(200);
  });
});
