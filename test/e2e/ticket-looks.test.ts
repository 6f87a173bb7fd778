/** The address of a sign-in in a real browser: by a link, by the file of the home, in a second browser, and too late. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Chromium, launchChromium } from '../support/chromium.ts';
import { type Acme, createAcme, until } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';
import { waitingOf } from '../support/sign-in.ts';

let fixture: Acme;
let chromium: Chromium;
beforeAll(async () => {
  // So that the browser is started with a file.
  fixture = await createAcme({ env: { AUTHSOME_ALLOW_UID: '1' } });
  chromium = await launchChromium(fixture.service);
});
afterAll(async () => {
  await chromium.close();
  await fixture.close();
});

/** A page in a profile of its own. */
async function newPage(): Promise<Page> {
  return (await chromium.context()).newPage();
}

const login = (...args: readonly string[]) =>
  fixture.startAuthsome(['login', ...args, '--json', '--no-browser']);

async function faults(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const { violations } = await new AxeBuilder({ page }).analyze();
      found.push(...violations.map(({ id, help }) => `${colorScheme} ${width}: ${id}: ${help}`));
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      if (overflow > 0) found.push(`${colorScheme} ${width}: scrolls sideways`);
    }
  }
  return found;
}

const heading = (page: Page) => page.locator('h1').textContent();

describe('the address of a sign-in, in a real browser', () => {
  it('is reached by the file that the browser was started with', async () => {
    const [program, told] = [join(fixture.directory, 'browser'), join(fixture.directory, 'told')];
    writeFileSync(program, `#!/bin/sh\nprintf %s "$1" > '${told}.new'\nmv '${told}.new' '${told}'\n`);
    chmodSync(program, 0o755);
    const running = fixture.startAuthsome(['login', 'pixel'], { env: { BROWSER: program } });
    await until(() => existsSync(told), 20_000);
    const page = await newPage();
    const file = readFileSync(told, 'utf8');
    expect(file).toMatch(/^file:/);
    await page.goto(file);
    await page.locator('input[name=api_key]').fill(fixture.apiKey);
    await page.locator('button[type=submit]').click();
    await page.getByRole('heading', { name: 'Pixel is connected' }).waitFor();
    expect((await running.ended).code).toBe(0);
    expect(existsSync(new URL(file))).toBe(false);
  });

  it('is reached by a link on a page elsewhere', async () => {
    const running = login('pixel', '--connection', 'linked');
    const { auth_url: ticket } = await waitingOf(running);
    const page = await newPage();
    await page.goto(`https://${hosts.login}/`).catch(() => undefined);
    await page.evaluate(`location.href = ${JSON.stringify(ticket)}`);
    await page.locator('input[name=api_key]').waitFor();
    expect(page.url()).not.toContain(ticket);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(11);
  });

  it('says in a second browser that the sign-in has ended, and on the first one’s page', async () => {
    const running = login('pixel', '--connection', 'taken');
    const { auth_url: ticket } = await waitingOf(running);
    const [first, second] = [await newPage(), await newPage()];
    await first.goto(ticket);
    await second.goto(ticket);
    expect(await heading(second)).toBe('Pixel is not connected');
    expect(await second.locator('code').allTextContents()).toEqual([
      'authsome login pixel --connection taken --force',
    ]);
    expect(await faults(second)).toEqual([]);
    await first.reload();
    expect(await heading(first)).toBe('Pixel is not connected');
    expect((await running.ended).code).toBe(10);
  });

  it('says in a second browser that the first one completed the sign-in', async () => {
    const running = login('pixel', '--connection', 'late');
    const { auth_url: ticket } = await waitingOf(running);
    const [first, second] = [await newPage(), await newPage()];
    await first.goto(ticket);
    await first.locator('input[name=api_key]').fill(fixture.apiKey);
    await first.locator('button[type=submit]').click();
    expect((await running.ended).code).toBe(0);
    await second.goto(ticket);
    expect(await heading(second)).toBe('This address was used before');
    expect(await faults(second)).toEqual([]);
  });

  it('is unknown when it is wrong', async () => {
    const page = await newPage();
    await page.goto(`${fixture.baseUrl}/auth/sessions/ses_x/y`);
    expect(await heading(page)).toBe('There is no such sign-in here');
    expect(await faults(page)).toEqual([]);
  });

  it('is of no use to a browser that comes back from the provider without having opened it', async () => {
    const form = login('acme');
    const { auth_url: asked } = await waitingOf(form);
    const first = await newPage();
    await first.goto(asked);
    await first.locator('input[name=client_id]').fill(fixture.client.clientId);
    await first.locator('input[name=client_secret]').fill(fixture.client.clientSecret);
    await first.locator('button[type=submit]').click();
    await first.getByRole('button', { name: 'Authorize' }).waitFor();
    const { session_id: id } = await waitingOf(form);
    const { provider_url: url } = await fixture.json(['login', '--status', id]);
    const second = await newPage();
    await second.goto(url);
    await second.getByRole('button', { name: 'Authorize' }).click();
    await second.getByRole('heading', { name: 'This is another browser' }).waitFor();
    expect(await faults(second)).toEqual([]);
    await first.getByRole('button', { name: 'Authorize' }).click();
    await first.getByRole('heading', { name: 'Acme is connected' }).waitFor();
    expect((await form.ended).code).toBe(0);
  });
});
