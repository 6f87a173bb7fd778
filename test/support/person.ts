/**
 * What a person does at a sign-in, in the system's Chromium. With it the real binary is driven against `oidc-provider` in every
 * character that authorization servers have:
 *
 * | the server                                     | is met in                                                |
 * | ---------------------------------------------- | -------------------------------------------------------- |
 * | is strict (redirect URI, PKCE, `iss`)          | `personalities-strict`                                   |
 * | rotates refresh tokens, and detects their use  | `personalities-strict`; 50 at once: `keeping-alive-race` |
 * | has a device flow, and says `slow_down`        | `personalities-strict`                                   |
 * | registers clients (DCR only), and forgets them | `personalities`                                          |
 * | takes pushed requests only (PAR)               | `personalities`                                          |
 * | gives a second sign-in the same grant          | `personalities`                                          |
 * | replies with forms, or without `expires_in`    | `personalities-faulty`                                   |
 * | says errors with status 200                    | `personalities-faulty`                                   |
 * | names a wrong `iss`, or a wrong issuer         | `personalities-faulty`                                   |
 * | is slow, within the timeout and beyond it      | `personalities-faulty`                                   |
 * | dies while it sends its response               | `personalities-faulty`                                   |
 *
 * More shapes of each fault, without a script in the browser, are in `sign-in-servers`; what happens to a connection that
 * is there already, in `keeping-alive`.
 */
import type { Page } from 'playwright-core';
import { type Chromium, launchChromium } from './chromium.ts';
import { type Acme, type AcmeOptions, createAcme } from './fixture.ts';
import { hosts } from './service/index.ts';

export const issuer = `https://${hosts.login}`;

/** A fixture with a server of this character, and a person with a browser in it. */
export interface Company extends Acme {
  readonly page: Page;
  /** What the servers of this fixture were asked for by name: `POST /token`, oldest first. */
  readonly asked: readonly string[];
}

export async function inCompany(
  options: AcmeOptions,
  work: (company: Company) => Promise<void>,
): Promise<void> {
  const fixture = await createAcme(options);
  const asked: string[] = [];
  const { authorization } = fixture.service;
  const { handle } = authorization;
  const seen = new WeakSet<object>();
  authorization.handle = (request, response) => {
    // A misbehavior may hand a request in once more.
    if (!seen.has(request)) asked.push(`${request.method} ${new URL(request.url ?? '/', issuer).pathname}`);
    seen.add(request);
    handle(request, response);
  };
  let chromium: Chromium | undefined;
  try {
    chromium = await launchChromium(fixture.service);
    const page = await (await chromium.context()).newPage();
    await work({ ...fixture, page, asked });
  } finally {
    await chromium?.close();
    await fixture.close();
  }
}

/** Gives the client that was registered by hand to authsome's page that asks for it. */
export async function giveClient({ page, client }: Company): Promise<void> {
  await page.locator('input[name=client_id]').fill(client.clientId);
  await page.locator('input[name=client_secret]').fill(client.clientSecret);
  await page.locator('button[type=submit]').click();
}

/** Says yes on the provider's page. */
export async function consent({ page }: Company): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).click();
}

/** What the page says, once it has arrived at one of authsome's. */
export async function told({ page, baseUrl }: Company): Promise<string> {
  await page.waitForURL((url) => url.origin === baseUrl && url.pathname.startsWith('/auth/sessions/'));
  return (await page.locator('main').textContent()) ?? '';
}
