import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CookieJar, createCookieJar } from '../../../test/support/cookie-jar.ts';
import type { AuthSessionDocument, ConnectionDocument } from '../../client/index.ts';
import { type Fixture, openFixture, plainRequest } from '../../daemon/test-daemon.ts';
import { csrfToken } from '../csrf.ts';
import { clientFormPage } from './client-form.ts';
import { html, linkable } from './html.ts';

const key = `sk-proj-${'A1b2'.repeat(12)}`;
let fixture: Fixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

async function signIn(provider: string, connection: string): Promise<AuthSessionDocument> {
  const response = await fixture.call('POST', '/v1/auth-sessions', { provider, connection, force: false });
  return (await response.json()) as AuthSessionDocument;
}

const stateOf = async (id: string) =>
  (await (await fixture.call('GET', `/v1/auth-sessions/${id}`)).json()) as AuthSessionDocument;

interface OpenForm {
  readonly url: string;
  readonly jar: CookieJar;
  /** That of the form's page, which comes after that of the sign-in. */
  readonly cookie: string;
  readonly token: string;
  readonly text: string;
  readonly headers: Headers;
}

/** The form that a ticket leads to, in a browser of its own. */
async function openForm(ticket: string): Promise<OpenForm> {
  const jar = createCookieJar();
  const response = await jar.fetch(ticket);
  const text = await response.text();
  const token = /name="csrf_token" value="([^"]+)"/.exec(text)?.[1] ?? '';
  const url = ticket.slice(0, ticket.lastIndexOf('/'));
  return { url, jar, cookie: jar.cookies(url), token, text, headers: response.headers };
}

function send(
  form: Pick<OpenForm, 'url' | 'cookie' | 'token'>,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(form.url, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: form.cookie, ...headers },
    body: new URLSearchParams({ csrf_token: form.token, ...fields }),
  });
}

describe('markup', () => {
  it('escapes every value, in text and in attributes', () => {
    const hostile = `"><script>alert('1')</script>&\``;
    const { text } = html`<a title="${hostile}">${[hostile, html`<b>${hostile}</b>`]}</a>`;
    expect(text).not.toContain('<script>');
    expect(text.match(/&lt;script&gt;/g)).toHaveLength(3);
  });

  it('links nowhere but to https, and to loopback', () => {
    expect(linkable('https://example.com/a')).toBeDefined();
    expect(linkable('http://127.0.0.1:1/')).toBeDefined();
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'http://example.com', 'nonsense']) {
      expect(linkable(url)).toBeUndefined();
    }
  });

  it('does not let a definition write into a page', () => {
    const hostile = '<img src=x onerror=alert(1)>';
    const page = clientFormPage({
      action: '/auth/sessions/x',
      csrfToken: 't',
      displayName: hostile,
      connection: hostile,
      setup: { url: 'javascript:alert(1)', steps: [hostile] },
      problem: hostile,
      redirectUri: 'http://127.0.0.1:7998/auth/callback/oauth',
      clientId: hostile,
    });
    expect(page).not.toContain('<img');
    expect(page).not.toContain('javascript:');
  });
});

describe('the API-key page', () => {
  it('asks in a masked field, takes the key, and says that it is connected', async () => {
    const session = await signIn('openai', 'page');
    const form = await openForm(session.auth_url ?? '');
    expect(form.text).toMatch(/<input id="api_key"[^>]*type="password"/);
    expect(form.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
    const answer = await send(form, { api_key: key });
    expect(answer.status).toBe(303);
    const result = await form.jar.fetch(new URL(answer.headers.get('location') ?? '', form.url).href);
    expect(await result.text()).toContain('OpenAI is connected');
    expect(await stateOf(session.session_id)).toMatchObject({ status: 'connected', accepts_secret: false });
    const shown = await fixture.call('GET', '/v1/connections/openai?connection=page');
    expect(((await shown.json()) as ConnectionDocument).api_key).toBe('***');
  });

  it('shows what is wrong with a key, never the key, and still waits', async () => {
    const session = await signIn('openai', 'wrong');
    const form = await openForm(session.auth_url ?? '');
    const answer = await send(form, { api_key: 'hunter2-not-a-key' });
    const text = await answer.text();
    expect(answer.status).toBe(422);
    expect(text).toContain('role="alert"');
    expect(text).not.toContain('hunter2');
    expect((await stateOf(session.session_id)).status).toBe('waiting');
    expect((await send(form, { api_key: key })).status).toBe(303);
  });

  it('cannot be sent by another site', async () => {
    const session = await signIn('openai', 'forged');
    const form = await openForm(session.auth_url ?? '');
    const forgeries: readonly [Parameters<typeof send>[0], Record<string, string>][] = [
      [{ ...form, token: '' }, {}],
      [{ ...form, cookie: form.cookie.replace(/; authsome_form=.*/, '') }, {}],
      [{ ...form, token: csrfToken('another-browser', form.cookie.split('authsome_form=')[1] ?? '') }, {}],
      [form, { origin: 'http://evil.example' }],
      [form, { origin: 'null' }],
      [form, { 'sec-fetch-site': 'cross-site' }],
      [form, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' }],
    ];
    for (const [forged, headers] of forgeries) {
      expect((await send(forged, { api_key: key }, headers)).status).toBe(403);
    }
    expect((await stateOf(session.session_id)).status).toBe('waiting');
    const own = { origin: 'null', 'sec-fetch-site': 'same-origin' };
    expect((await send(form, { api_key: key }, own)).status).toBe(303);
  });

  it('takes a form that was opened before the daemon was restarted', async () => {
    const session = await signIn('openai', 'restarted');
    const form = await openForm(session.auth_url ?? '');
    await fixture.restart();
    const url = `${fixture.daemon.url}${new URL(form.url).pathname}`;
    expect((await send({ ...form, url }, { api_key: key })).status).toBe(303);
    expect((await stateOf(session.session_id)).status).toBe('connected');
  });
});

describe('the client page', () => {
  it('shows the exact redirect URI, and leads on to the provider', async () => {
    const session = await signIn('github', 'page');
    const form = await openForm(session.auth_url ?? '');
    expect(form.text).toContain(`<code id="redirect-uri">${fixture.daemon.url}/auth/callback/oauth</code>`);
    const policy = form.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'self' https://github.com https://*.github.com;");
    const answer = await send(form, { client_id: 'Iv1.client', client_secret: 'client-secret' });
    const location = new URL(answer.headers.get('location') ?? '');
    expect(answer.status).toBe(303);
    expect(location.origin).toBe('https://github.com');
    expect(location.searchParams.get('redirect_uri')).toBe(session.redirect_uri);
    const waiting = await (await form.jar.fetch(form.url)).text();
    expect(waiting).toContain('Waiting for GitHub');
    expect(waiting).not.toContain('client-secret');
  });
});

describe('the callback', () => {
  it('says that a stale tab is stale, and the live sign-in continues', async () => {
    const session = await signIn('github', 'stale');
    const { status, text } = await plainRequest(
      fixture.daemon.url,
      'GET',
      '/auth/callback/oauth?code=evil-code&state=stale',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    );
    expect(status).toBe(400);
    expect(text).toContain('OAuth state parameter does not match');
    expect(text).not.toContain('evil-code');
    expect(await stateOf(session.session_id)).toMatchObject({
      status: 'waiting',
      warnings: [expect.objectContaining({ error: 'StateMismatch' })],
    });
  });

  it('shows what the provider refused, and what to do', async () => {
    const session = await signIn('github', 'denied');
    const state = new URL(session.provider_url ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({ state, error: 'access_denied', error_description: '<b>no</b>' });
    const page = await createCookieJar().fetch(`${fixture.daemon.url}/auth/callback/oauth?${query}`);
    const text = await page.text();
    expect(text).toContain('access_denied');
    expect(text).not.toContain('<b>no</b>');
    expect(text).toContain('authsome login github');
  });
});

it('knows no session that it did not make', async () => {
  const page = await fetch(`${fixture.daemon.url}/auth/sessions/ses_unknown`);
  expect(page.status).toBe(404);
  expect(await page.text()).toContain('There is no such sign-in');
});

it('forbids framing, inline script, caching and referrers on every page', async () => {
  for (const path of ['/auth/sessions/ses_unknown', '/auth/callback/oauth', '/assets/page.css', '/nowhere']) {
    const { headers } = await fetch(fixture.daemon.url + path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});
