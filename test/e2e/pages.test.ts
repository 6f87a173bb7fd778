import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chromium, collectComplaints, launchChromium } from '../support/chromium.ts';
import { createCookieJar } from '../support/cookie-jar.ts';
import { type Acme, connectAcme, createAcme, entry, until, withFixture } from '../support/fixture.ts';
import { start } from '../support/product.ts';
import { authUrlOf, waitingOf } from '../support/sign-in.ts';

let fixture: Acme;
let chromium: Chromium;
let context: BrowserContext;
let page: Page;
/** Whatever a page said to its console, or asked from elsewhere. */
let complaints: readonly string[];
const origins = ['https://login.acme.test'];

beforeAll(async () => {
  fixture = await createAcme();
  origins.push(fixture.baseUrl);
  chromium = await launchChromium(fixture.service);
  context = await chromium.context();
  page = await context.newPage();
  complaints = collectComplaints(page, origins);
});
afterAll(async () => {
  await chromium.close();
  await fixture.close();
});

/** The daemon of a fixture as a process whose clock can be put forward. */
async function serveByShiftedClock(of: Acme): Promise<{ shiftMs(ms: number): void }> {
  const [clock, shift] = [join(of.directory, 'clock.cjs'), join(of.directory, 'shift')];
  const read = `Number(require('node:fs').readFileSync(${JSON.stringify(shift)}, 'utf8'))`;
  writeFileSync(clock, `const now = Date.now; Date.now = () => now() + ${read};`);
  writeFileSync(shift, '0');
  await of.authsome(['daemon', 'stop']);
  start({
    program: process.execPath,
    args: ['--require', clock, entry, 'daemon', 'serve'],
    env: of.env,
    cwd: of.directory,
  });
  await until(async () => (await of.authsome(['daemon', 'status'])).code === 0, 20_000);
  return { shiftMs: (ms) => writeFileSync(shift, String(ms)) };
}

async function accessibilityFaults(): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((violation) => `${violation.id}: ${violation.help}`);
}

describe('in a real browser', () => {
  it('signs in with an API key through a masked, accessible form', async () => {
    const login = fixture.startAuthsome(['login', 'pixel', '--json', '--no-browser']);
    await page.goto(await authUrlOf(login));
    expect(await accessibilityFaults()).toEqual([]);
    const field = page.locator('input[name=api_key]');
    expect(await field.getAttribute('type')).toBe('password');
    await field.fill('wrong');
    await page.locator('button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    expect(await accessibilityFaults()).toEqual([]);
    expect(await page.content()).not.toContain('value="wrong"');
    await page.locator('input[name=api_key]').fill(fixture.apiKey);
    await page.locator('button[type=submit]').click();
    expect((await login.ended).code).toBe(0);
    expect(await accessibilityFaults()).toEqual([]);
    expect(page.url()).not.toContain(fixture.apiKey);
  });

  it('signs in with PKCE: client form, consent, success', async () => {
    const login = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser']);
    await page.goto(await authUrlOf(login));
    expect(await page.locator('#redirect-uri').textContent()).toBe(fixture.redirectUri);
    expect(await accessibilityFaults()).toEqual([]);
    await page.locator('input[name=client_id]').fill(fixture.client.clientId);
    await page.locator('input[name=client_secret]').fill(fixture.client.clientSecret);
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Authorize' }).click();
    expect((await login.ended).code).toBe(0);
    await page.waitForURL((url) => url.origin === fixture.baseUrl);
    expect(await page.locator('h1').textContent()).toContain('Acme');
    expect(await accessibilityFaults()).toEqual([]);
  });

  it('shows what happened when the person declines', async () => {
    const login = fixture.startAuthsome(['login', 'acme', '--connection', 'no', '--json', '--no-browser']);
    // Acme remembers who said yes; this is somebody else.
    await context.clearCookies();
    await page.goto(await authUrlOf(login));
    await page.getByRole('button', { name: 'Deny' }).click();
    expect((await login.ended).code).toBe(10);
    await page.waitForURL((url) => url.origin === fixture.baseUrl);
    expect(await page.content()).toContain('access_denied');
    expect(await accessibilityFaults()).toEqual([]);
  });

  it('shows that it comes too late, on the page and after a callback, and what to do', async () => {
    await withFixture(await createAcme(), async (late) => {
      await connectAcme(late);
      origins.push(late.baseUrl);
      const daemon = await serveByShiftedClock(late);
      const args = ['login', 'acme', '--connection', 'late', '--json', '--no-browser'];
      const login = late.startAuthsome(args);
      const { auth_url: ticket, provider_url: atProvider = '' } = await waitingOf(login);
      const state = new URL(atProvider).searchParams.get('state') ?? '';
      // Ctrl-C would have cancelled the sign-in; this terminal is just gone.
      login.child.kill('SIGKILL');
      daemon.shiftMs(11 * 60_000);
      for (const url of [ticket, `${late.redirectUri}?code=x&state=${state}`]) {
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          await page.goto(url);
          expect(await page.locator('h1').textContent()).toBe('This sign-in has expired');
          const commands = await page.locator('code').allTextContents();
          expect(commands).toContain('authsome login acme --connection late --force');
          expect(commands).toContain(late.redirectUri);
          expect(await accessibilityFaults()).toEqual([]);
        }
      }
      await page.emulateMedia({ colorScheme: 'light' });
      daemon.shiftMs(0);
      expect(await late.json(['get', 'acme', '--connection', 'late'], 3)).toMatchObject({
        error: 'ConnectionNotFound',
      });
    });
  });

  it('is accessible in the dark as well, and on a stale callback', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${fixture.redirectUri}?code=x&state=stale`).catch(() => undefined);
    expect(await page.content()).toContain('OAuth state parameter does not match');
    expect(await accessibilityFaults()).toEqual([]);
    const login = fixture.startAuthsome(['login', 'pixel', '--connection', 'dark', '--json', '--no-browser']);
    await page.goto(await authUrlOf(login));
    expect(await accessibilityFaults()).toEqual([]);
    login.child.kill('SIGINT');
    await login.ended;
  });

  it('never complained, and never asked anything from elsewhere', () => {
    const expected = (text: string) => text.includes('status of 4');
    expect(complaints.filter((text) => !expected(text))).toEqual([]);
  });
});

describe('every page', () => {
  it('forbids framing, foreign script, caching and referrers', async () => {
    const login = fixture.startAuthsome([
      'login',
      'pixel',
      '--connection',
      'headers',
      '--json',
      '--no-browser',
    ]);
    const asked = await fixture.newBrowser().open(await authUrlOf(login));
    expect(asked.headers['content-security-policy']).toMatch(/default-src 'none'|default-src 'self'/);
    expect(asked.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(asked.headers['content-security-policy']).not.toContain('unsafe-inline');
    expect(asked.headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    login.child.kill('SIGINT');
    await login.ended;
  });

  it('takes no form without its CSRF token, or from another origin', async () => {
    const login = fixture.startAuthsome([
      'login',
      'pixel',
      '--connection',
      'forged',
      '--json',
      '--no-browser',
    ]);
    const jar = createCookieJar();
    const ticket = await authUrlOf(login);
    await (await jar.fetch(ticket)).text();
    const url = ticket.slice(0, ticket.lastIndexOf('/'));
    const post = (headers: Record<string, string>, body: Record<string, string>) =>
      jar.fetch(url, { method: 'POST', headers, body: new URLSearchParams(body) });
    const without = await post({ origin: fixture.baseUrl }, { api_key: fixture.apiKey });
    expect(without.status).toBe(403);
    const foreign = await post({ origin: 'https://evil.example' }, { api_key: fixture.apiKey });
    expect(foreign.status).toBe(403);
    expect(login.child.exitCode).toBeNull();
    login.child.kill('SIGINT');
    await login.ended;
    expect(await fixture.json(['get', 'pixel', '--connection', 'forged'], 3)).toMatchObject({
      error: 'ConnectionNotFound',
    });
  });
});
