import { type Html, html } from './html.ts';

/** What both forms have. */
export interface FormPage {
  /** Where the form is posted to: this page itself. */
  readonly action: string;
  readonly csrfToken: string;
  readonly displayName: string;
  readonly connection: string;
  /** How to make a client or a key there. */
  readonly setup: { readonly url: string | undefined; readonly steps: readonly string[] };
  /** What was wrong with the last attempt; never what was typed. */
  readonly problem: string | undefined;
}

/** What was wrong with the last attempt, above the field. */
export function alert(problem: string | undefined): Html | false {
  return problem !== undefined && html`<p class="alert" id="problem" role="alert">${problem}</p>`;
}

/** A link to the page of the provider where its client or key is made. */
export function settingsLink(url: string | undefined, label: string): Html | false {
  return (
    url !== undefined &&
    html`<p><a href="${url}" target="_blank" rel="noopener noreferrer">Open ${label}<span aria-hidden="true"> ↗</span></a></p>`
  );
}
