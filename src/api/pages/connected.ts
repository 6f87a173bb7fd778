import { html } from './html.ts';
import { layout, sign } from './layout.ts';

export interface ConnectedPage {
  readonly displayName: string;
  readonly connection: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  /** ISO 8601 UTC. */
  readonly expiresAt: string | undefined;
  readonly isRenewed: boolean;
}

/** Says what was granted, and that the tab can be closed. */
export function connectedPage(page: ConnectedPage): string {
  return layout({
    title: `${page.displayName} is connected`,
    body: html`<div class="result">${sign('good')}<h1>${page.displayName} is connected</h1>
<p class="lead">You can close this tab and go back to your terminal.</p></div>
<dl>
${page.account !== undefined && html`<div><dt>Account</dt><dd>${page.account}</dd></div>`}
<div><dt>Connection</dt><dd>${page.connection}</dd></div>
${page.scopes.length > 0 && html`<div><dt>Granted</dt><dd><ul class="scopes">${page.scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul></dd></div>`}
${page.expiresAt !== undefined && html`<div><dt>${page.isRenewed ? 'Renews' : 'Ends'}</dt><dd>${page.isRenewed && 'automatically, before '}<time datetime="${page.expiresAt}">${page.expiresAt.slice(0, 16).replace('T', ' ')} UTC</time></dd></div>`}
</dl>`,
  });
}
