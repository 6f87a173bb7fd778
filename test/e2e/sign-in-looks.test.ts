/** Every page of a sign-in in a real browser, light and dark, wide and narrow: accessible, quiet, and from nowhere else. */
import { AxeBuilder } from '@axe-core/playwright';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chromium, collectComplaints, launchChromium } from '../support/chromium.ts';
import { acmeDevice, scriptDeviceFlow, userCode } from '../support/device-flow.ts';
import { type Acme, createAcme, register } from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { acme, hosts, pixel } from '../support/service/index.ts';
import { authUrlOf, waitingOf } from '../support/sign-in.ts';

const settingsUrl = `https://${hosts.login}/settings/apps`;
const steps = [
  'Open the settings, and choose "New OAuth app".',
  'Paste the redirect URI below as the callback URL.',
  'Copy the client ID, and make a client secret.',
];
const setup = { url: settingsUrl, steps };

let fixture: Acme;
let chromium: Chromium;
let context: BrowserContext;
let page: Page;
const started: Running[] = [];
let complaints: readonly string[];

beforeAll(async () => {
  fixture = await createAcme();
  await register(fixture, { ...acme, name: 'acme-apps', display_name: 'Acme Apps', setup });
  await register(fixture, { ...pixel, name: 'pixel-keys', display_name: 'Pixel', setup });
  await register(fixture, { ...acmeDevice, flow: 'device_code' });
  scriptDeviceFlow(fixture.service, { intervalSeconds: 30, isApproved: () => false });
  chromium = await launchChromium(fixture.service);
  context = await chromium.context();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  page = await context.newPage();
  complaints = collectComplaints(page, [fixture.baseUrl, `https://${hosts.login}`]);
});
afterAll(async () => {
  for (const running of started) running.child.kill('SIGINT');
  await Promise.all(started.map((running) => running.ended));
  await chromium.close();
  await fixture.close();
});

async function login(...args: readonly string[]): Promise<string> {
  const running = fixture.startAuthsome(['login', ...args, '--json', '--no-browser']);
  started.push(running);
  return authUrlOf(running);
}

/** Faults of the page as it is now, in both schemes, on a desktop and on a phone. */
async function faults(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      const where = `${colorScheme} ${width}`;
      found.push(...violations.map((violation) => `${where}: ${violation.id}: ${violation.help}`));
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (overflow > 0) found.push(`${where}: scrolls sideways`);
    }
  }
  return found;
}

async function copied(label: string): Promise<string> {
  await page.getByRole('button', { name: `Copy ${label}` }).click();
  return page.evaluate<string>('navigator.clipboard.readText()');
}

describe('each page of a sign-in', () => {
  it('asks for a client: steps, settings, the exact redirect URI to copy', async () => {
    await page.goto(await login('acme-apps'));
    expect(await faults()).toEqual([]);
    expect(await copied('the redirect URI')).toBe(fixture.redirectUri);
    expect(await page.locator('ol.steps li').allTextContents()).toEqual(steps);
    expect(await page.getByRole('link', { name: 'Open Acme Apps settings' }).getAttribute('href')).toBe(
      settingsUrl,
    );
    expect(await page.locator('input[name=client_secret]').getAttribute('type')).toBe('password');
    await page.locator('input[name=client_id]').fill('two words');
    await page.locator('button[type=submit]').click();
    await page.getByRole('alert').waitFor();
    expect(await faults()).toEqual([]);
    expect(await page.locator('input[name=client_id]').inputValue()).toBe('two words');
  });

  it('waits for the provider, and says what to do should that show an error', async () => {
    const url = await login('acme-apps', '--connection', 'waiting');
    await page.goto(url);
    await page.locator('input[name=client_id]').fill(fixture.client.clientId);
    await page.locator('input[name=client_secret]').fill(fixture.client.clientSecret);
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Authorize' }).waitFor();
    await page.goto(url.slice(0, url.lastIndexOf('/')));
    expect(await page.locator('h1').textContent()).toBe('Waiting for Acme Apps');
    expect(await faults()).toEqual([]);
    expect(await copied('the redirect URI')).toBe(fixture.redirectUri);
    expect(await copied('the command')).toBe('authsome revoke acme-apps');
    await page.getByRole('link', { name: 'Continue to Acme Apps' }).click();
    await page.getByRole('button', { name: 'Authorize' }).click();
    await page.waitForURL((at) => at.origin === fixture.baseUrl);
    expect(await page.locator('h1').textContent()).toBe('Acme Apps is connected');
    expect(await faults()).toEqual([]);
    expect(await page.locator('ul.scopes li').allTextContents()).toEqual(['read', 'write']);
    expect(await page.content()).toContain('You can close this tab');
    expect(await page.locator('time').getAttribute('datetime')).toMatch(/^20.*Z$/);
  });

  it('asks for an API key, and says what one looks like', async () => {
    await page.goto(await login('pixel-keys'));
    expect(await faults()).toEqual([]);
    expect(await page.content()).toContain('px_ and 32 letters or digits');
  });

  it('shows the code of the device flow, to be copied', async () => {
    const running = fixture.startAuthsome(['login', 'acme-device', '--json', '--no-browser']);
    started.push(running);
    await page.goto(await authUrlOf(running));
    expect(await faults()).toEqual([]);
    expect(await copied('the code')).toBe(userCode);
  });

  it('continues by itself once the person has authorized elsewhere', async () => {
    const running = fixture.startAuthsome([
      ...['login', 'acme-apps', '--connection', 'elsewhere'],
      ...['--json', '--no-browser'],
    ]);
    const { session_id: session, auth_url: url } = await waitingOf(running);
    // Acme would otherwise remember its consent, and send the browser back at once.
    await context.clearCookies({ domain: hosts.login });
    await page.goto(url);
    await page.getByRole('button', { name: 'Authorize' }).waitFor();
    await page.goto(`${fixture.baseUrl}/auth/sessions/${session}`);
    await page.getByRole('link', { name: 'Continue to Acme Apps' }).focus();
    const other = await context.newPage();
    await other.goto(url);
    await other.getByRole('button', { name: 'Authorize' }).click();
    await page.getByRole('heading', { name: 'Acme Apps is connected' }).waitFor();
    expect((await running.ended).code).toBe(0);
  });

  it('says why it failed, and which command comes next', async () => {
    // Acme would otherwise remember its consent, and ask nothing.
    await context.clearCookies();
    await page.goto(await login('acme-apps', '--connection', 'denied'));
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.waitForURL((at) => at.origin === fixture.baseUrl);
    expect(await faults()).toEqual([]);
    expect(await copied('it')).toBe('authsome login acme-apps --connection denied');
  });

  it('says that a tab is stale, and what to do', async () => {
    await page.goto(`${fixture.redirectUri}?code=x&state=stale`);
    expect(await page.content()).toContain('OAuth state parameter does not match');
    expect(await faults()).toEqual([]);
  });

  it('says that a sign-in is cancelled, or unknown', async () => {
    const running = fixture.startAuthsome(['login', 'pixel', '--json', '--no-browser']);
    const url = await authUrlOf(running);
    running.child.kill('SIGINT');
    await running.ended;
    await page.goto(url);
    expect(await page.locator('h1').textContent()).toBe('This sign-in was cancelled');
    expect(await faults()).toEqual([]);
    await page.goto(`${fixture.baseUrl}/auth/sessions/ses_unknown`);
    expect(await faults()).toEqual([]);
  });

  it('works with the keyboard alone', async () => {
    await page.goto(await login('pixel-keys', '--connection', 'keyboard'));
    await page.keyboard.type(fixture.apiKey);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Pixel is connected' }).waitFor();
  });

  it('never made the browser complain, and requested nothing from elsewhere', () => {
    const expected = (text: string) => text.includes('status of 4');
    expect(complaints.filter((text) => !expected(text))).toEqual([]);
  });
});
