/** Signs in through the product's own pages. The demo uses it as well. */
import type { Browser, Page } from './browser.ts';
import type { Outcome, Running } from './product.ts';

export interface SignedIn {
  /** authsome's page that asked, and the one that closed the sign-in. */
  readonly asked: Page;
  readonly closing: Page;
  readonly outcome: Outcome;
}

/** What `authsome login --json` prints at once. */
interface Waiting {
  readonly session_id: string;
  readonly auth_url: string;
  readonly provider_url?: string;
}

export async function waitingOf(login: Running): Promise<Waiting> {
  const [line] = await login.seen('stdout', /^\{.*"status":"waiting".*\}$/m);
  return JSON.parse(line);
}

/** The address for a browser on this machine. */
export async function authUrlOf(login: Running): Promise<string> {
  return (await waitingOf(login)).auth_url;
}

/** The provider's own page, for a browser elsewhere. */
export async function providerUrlOf(login: Running): Promise<string> {
  return (await waitingOf(login)).provider_url ?? '';
}

/** Answers the page that asks for the OAuth client, then says yes on the provider's own page. */
export async function signInWithClient(
  login: Running,
  browser: Browser,
  client: { readonly clientId: string; readonly clientSecret: string },
): Promise<SignedIn> {
  const asked = await browser.open(await authUrlOf(login));
  const values = { client_id: client.clientId, client_secret: client.clientSecret };
  const consent = await browser.submit(asked, values);
  const closing = await browser.submit(consent, { decision: 'allow' });
  return { asked, closing, outcome: await login.ended };
}

/** Answers the page that asks for an API key. */
export async function signInWithKey(login: Running, browser: Browser, key: string): Promise<SignedIn> {
  const asked = await browser.open(await authUrlOf(login));
  const closing = await browser.submit(asked, { api_key: key });
  return { asked, closing, outcome: await login.ended };
}
