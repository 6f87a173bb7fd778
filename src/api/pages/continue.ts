import { html } from './html.ts';
import { layout, sign } from './layout.ts';

export interface ContinuePage {
  /** A path of the daemon's own. */
  readonly href: string;
  /** Whether the browser goes there by itself. */
  readonly isAutomatic: boolean;
}

/** Leads from a link elsewhere to the sign-in: the next request then comes from this page. */
export function continuePage({ href, isAutomatic }: ContinuePage): string {
  return layout({
    title: 'Sign in',
    leadsTo: isAutomatic ? href : undefined,
    body: html`<div class="result">${sign('wait')}<h1>Sign in with authsome</h1>
<p class="lead">Continue only if you started this sign-in yourself.</p></div>
<a class="button" href="${href}" rel="noreferrer">Continue</a>`,
  });
}
