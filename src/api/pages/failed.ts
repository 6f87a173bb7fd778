import { advice } from './advice.ts';
import { html } from './html.ts';
import { layout, sign } from './layout.ts';

export interface FailedPage {
  readonly heading: string;
  readonly cause: string;
  /** What to do, by line, as a terminal shows it. */
  readonly hint: string | undefined;
  /** Where the provider's own settings are. */
  readonly settingsUrl: string | undefined;
  /** `warn` when the person lost nothing. */
  readonly kind: 'bad' | 'warn';
}

/** Says why something failed, and what to do next. */
export function failedPage(page: FailedPage): string {
  return layout({
    title: page.heading,
    body: html`<div class="result">${sign(page.kind)}<h1>${page.heading}</h1>
<p class="lead">${page.cause}</p></div>
${page.hint !== undefined && html`<h2>What to do</h2>${advice(page.hint, page.settingsUrl)}`}`,
  });
}

/** The page for a callback whose state belongs to no live sign-in. */
export function stateMismatchPage(): string {
  return failedPage({
    kind: 'warn',
    heading: 'This tab is out of date',
    cause: 'OAuth state parameter does not match.',
    hint: 'This tab is most likely from an earlier sign-in. Close it: a sign-in that is still waiting continues.\nIf you did not open it, find out where it came from before you try again.',
    settingsUrl: undefined,
  });
}

/** The page of a sign-in that was cancelled. */
export function cancelledPage(signInAgain: string): string {
  return failedPage({
    kind: 'warn',
    heading: 'This sign-in was cancelled',
    cause: 'Nothing was stored, and nothing was changed.',
    hint: `Start again from your terminal: ${signInAgain}`,
    settingsUrl: undefined,
  });
}

/** For an address that leads this browser nowhere. It does not say whether there is such a sign-in. */
export function unknownSessionPage(): string {
  return failedPage({
    kind: 'warn',
    heading: 'There is no such sign-in here',
    cause: 'It has expired, it belongs to another browser, or this one sends no cookies.',
    hint: 'Open the newest address that your terminal shows.\nOr start again from your terminal: authsome login <provider>',
    settingsUrl: undefined,
  });
}

/** For a browser that came back from the provider, and is not the one that opened the sign-in. */
export function otherBrowserPage(cause: string, hint: string | undefined): string {
  return failedPage({
    kind: 'warn',
    heading: 'This is another browser',
    cause,
    hint,
    settingsUrl: undefined,
  });
}
