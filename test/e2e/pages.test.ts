import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authUrlOf } from '../../demo/sign-in.ts';
import { type Chromium, launchChromium } from './chromium.ts';
import { type Acme, createAcme } from './harness.ts';

let world: Acme;
let chromium: Chromium;
let context: BrowserContext;
let page: Page;
/** Whatever a page said to its console, or asked from elsewhere. */
const complaints: string[] = [];

beforeAll(async () => {
  world = await createAcme();
  chromium = await launchChromium(world.service);
  context = await chromium.context();
  page = await context.newPage();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin } = new URL(request.url());
    if (![world.baseUrl, 'https://login.acme.test'].includes(origin)) complaints.push(request.url());
  });
});
afterAll(async () => {
  await chromium.close();
  await world.close();
});

async function accessibilityFaults(): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((violation) => `${violation.id}: ${violation.help}`);
}

describe('in a real browser', () => {
  it('signs in with an API key through a masked, accessible form', async () => {
    const login = world.startAuthsome(['login', 'pixel', '--json', '--no-browser']);
    await page.goto(await authUrlOf(login));
    expect(await accessibilityFaults()).toEqual([]);
    const field = page.locator('input[name=api_key]');
    expect(await field.getAttribute('type')).toBe('password');
    await field.fill('wrong');
    await page.locator('button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    expect(await accessibilityFaults()).toEqual([]);
    expect(await page.content()).not.toContain('value="wrong"');
    await page.locator('input[name=api_key]').fill(world.apiKey);
    await page.locator('button[type=submit]').click();
    expect((await login.ended).code).toBe(0);
    expect(await accessibilityFaults()).toEqual([]);
    expect(page.url()).not.toContain(world.apiKey);
  });

  it('signs in with PKCE: client form, consent, success', async () => {
    const login = world.startAuthsome(['login', 'acme', '--json', '--no-browser']);
    await page.goto(await authUrlOf(login));
    expect(await page.locator('#redirect-uri').textContent()).toBe(world.redirectUri);
    expect(await accessibilityFaults()).toEqual([]);
    await page.locator('input[name=client_id]').fill(world.client.clientId);
    await page.locator('input[name=client_secret]').fill(world.client.clientSecret);
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Authorize' }).click();
    expect((await login.ended).code).toBe(0);
    await page.waitForURL((url) => url.origin === world.baseUrl);
    expect(await page.locator('h1').textContent()).toContain('Acme');
    expect(await accessibilityFaults()).toEqual([]);
  });

  it('is told what happened when the person says no', async () => {
    const login = world.startAuthsome(['login', 'acme', '--connection', 'no', '--json', '--no-browser']);
    // Acme remembers who said yes; this is somebody else.
    await context.clearCookies();
    await page.goto(await authUrlOf(login));
    await page.getByRole('button', { name: 'Deny' }).click();
    expect((await login.ended).code).toBe(10);
    await page.waitForURL((url) => url.origin === world.baseUrl);
    expect(await page.content()).toContain('access_denied');
    expect(await accessibilityFaults()).toEqual([]);
  });

  it('is accessible in the dark as well, and on a stale callback', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.goto(`${world.redirectUri}?code=x&state=stale`).catch(() => undefined);
    expect(await page.content()).toContain('OAuth state parameter does not match');
    expect(await accessibilityFaults()).toEqual([]);
    const login = world.startAuthsome(['login', 'pixel', '--connection', 'dark', '--json', '--no-browser']);
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
    const login = world.startAuthsome([
      'login',
      'pixel',
      '--connection',
      'headers',
      '--json',
      '--no-browser',
    ]);
    const asked = await world.newBrowser().open(await authUrlOf(login));
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
    const login = world.startAuthsome(['login', 'pixel', '--connection', 'forged', '--json', '--no-browser']);
    const url = await authUrlOf(login);
    const post = (headers: Record<string, string>, body: Record<string, string>) =>
      fetch(url, { method: 'POST', headers, body: new URLSearchParams(body), redirect: 'manual' });
    const without = await post({ origin: world.baseUrl }, { api_key: world.apiKey });
    expect(without.status).toBe(403);
    const foreign = await post({ origin: 'https://evil.example' }, { api_key: world.apiKey });
    expect(foreign.status).toBe(403);
    expect(login.child.exitCode).toBeNull();
    login.child.kill('SIGINT');
    await login.ended;
    expect(await world.json(['get', 'pixel', '--connection', 'forged'], 3)).toMatchObject({
      error: 'ConnectionNotFound',
    });
  });
});
