/** A browser of the tests, as a sign-in sees it. Not used by the product. */
import type { Browser } from '../contract.ts';

export interface TestBrowser extends Browser {
  /** By the id of their sign-in. */
  readonly cookies: Map<string, string>;
}

export function testBrowser(): TestBrowser {
  const cookies = new Map<string, string>();
  return {
    cookies,
    cookiesFor: (id) => [cookies.get(id) ?? []].flat(),
    giveCookie: (id, value) => void cookies.set(id, value),
  };
}

/** The ticket in the address of a sign-in. */
export function ticketIn(authUrl: string | undefined): string {
  return authUrl?.split('/').at(-1) ?? '';
}
