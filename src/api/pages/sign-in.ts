import { advice } from './advice.ts';
import { html, linkable } from './html.ts';
import { copyable, layout, sign } from './layout.ts';

interface FormPage {
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

export interface ClientFormPage extends FormPage {
  readonly redirectUri: string;
  /** Typed before, not a secret. */
  readonly clientId: string;
}

/** Asks for the OAuth client that the person registered at the provider. */
export function clientFormPage(page: ClientFormPage): string {
  const settingsUrl = linkable(page.setup.url);
  const steps =
    page.setup.steps.length > 0
      ? page.setup.steps.map((step) => html`<li>${step}</li>`)
      : html`<li>Register an OAuth client at ${page.displayName}.</li><li>Give it the redirect URI below.</li><li>Copy its client ID and client secret into this form.</li>`;
  return layout({
    title: `Connect ${page.displayName}`,
    body: html`<h1>Connect ${page.displayName}</h1>
<p class="lead">authsome needs an OAuth client of yours. You do this once; afterwards signing in takes one click.</p>
<h2>Register it</h2>
<ol class="steps">${steps}</ol>
${settingsUrl !== undefined && html`<p><a href="${settingsUrl}" target="_blank" rel="noopener noreferrer">Open ${page.displayName} settings<span aria-hidden="true"> ↗</span></a></p>`}
<h2 id="redirect-label">Redirect URI, exactly as it is</h2>
${copyable('redirect-uri', page.redirectUri, 'the redirect URI')}
${alert(page.problem)}
<form method="post" action="${page.action}" autocomplete="off">
<input type="hidden" name="csrf_token" value="${page.csrfToken}">
<label for="client_id">Client ID</label>
<input id="client_id" name="client_id" value="${page.clientId}" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false"${page.problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`}>
<label for="client_secret">Client secret <span class="optional">(if it has one)</span></label>
<input id="client_secret" name="client_secret" type="password" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Continue to ${page.displayName}</button>
</form>
<p class="note">Both are kept in the encrypted vault on this machine, for the connection “${page.connection}” and those that follow.</p>`,
  });
}

export interface ApiKeyFormPage extends FormPage {
  /** What a key looks like, in words. */
  readonly keyHint: string | undefined;
}

/** Asks for an API key in a masked field. */
export function apiKeyFormPage(page: ApiKeyFormPage): string {
  const settingsUrl = linkable(page.setup.url);
  const describedBy = [page.keyHint !== undefined && 'key-hint', page.problem !== undefined && 'problem']
    .filter((id) => id !== false)
    .join(' ');
  return layout({
    title: `Connect ${page.displayName}`,
    body: html`<h1>Connect ${page.displayName}</h1>
<p class="lead">Paste an API key. It goes straight into the encrypted vault; the agents that use it never see it.</p>
${page.setup.steps.length > 0 && html`<h2>Where to find one</h2><ol class="steps">${page.setup.steps.map((step) => html`<li>${step}</li>`)}</ol>`}
${settingsUrl !== undefined && html`<p><a href="${settingsUrl}" target="_blank" rel="noopener noreferrer">Open ${page.displayName} API keys<span aria-hidden="true"> ↗</span></a></p>`}
${alert(page.problem)}
<form method="post" action="${page.action}" autocomplete="off">
<input type="hidden" name="csrf_token" value="${page.csrfToken}">
<label for="api_key">API key</label>
<input id="api_key" name="api_key" type="password" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false"${describedBy !== '' && html` aria-describedby="${describedBy}"`}${page.problem !== undefined && html` aria-invalid="true"`}>
${page.keyHint !== undefined && html`<p class="note" id="key-hint">${page.keyHint}</p>`}
<button type="submit">Connect ${page.displayName}</button>
</form>
<p class="note">It is stored as the connection “${page.connection}”.</p>`,
  });
}

function alert(problem: string | undefined) {
  return problem !== undefined && html`<p class="alert" id="problem" role="alert">${problem}</p>`;
}

export interface ConnectedPage {
  readonly displayName: string;
  readonly connection: string;
  readonly account: string | undefined;
  readonly scopes: readonly string[];
  /** ISO 8601 UTC. */
  readonly expiresAt: string | undefined;
  readonly isRenewed: boolean;
}

/** Tells what was granted, and that the tab has done its work. */
export function connectedPage(page: ConnectedPage): string {
  return layout({
    title: `${page.displayName} is connected`,
    body: html`<div class="result">${sign('good')}<h1>${page.displayName} is connected</h1>
<p class="lead">You can close this tab and go back to your terminal.</p></div>
<dl>
${page.account !== undefined && html`<div><dt>Account</dt><dd>${page.account}</dd></div>`}
<div><dt>Connection</dt><dd>${page.connection}</dd></div>
${page.scopes.length > 0 && html`<div><dt>Granted</dt><dd><ul class="scopes">${page.scopes.map((scope) => html`<li><code>${scope}</code></li>`)}</ul></dd></div>`}
${page.expiresAt !== undefined && html`<div><dt>${page.isRenewed ? 'Renews' : 'Ends'}</dt><dd>${page.isRenewed && 'by itself, before '}<time datetime="${page.expiresAt}">${page.expiresAt.slice(0, 16).replace('T', ' ')} UTC</time></dd></div>`}
</dl>`,
  });
}

export interface FailedPage {
  readonly heading: string;
  readonly cause: string;
  /** What to do, by line, as a terminal shows it. */
  readonly hint: string | undefined;
  /** Where the provider's own settings are. */
  readonly settingsUrl: string | undefined;
  /** `warn` when nothing of the person's was lost. */
  readonly kind: 'bad' | 'warn';
}

/** Tells why, and what to do next. */
export function failedPage(page: FailedPage): string {
  return layout({
    title: page.heading,
    body: html`<div class="result">${sign(page.kind)}<h1>${page.heading}</h1>
<p class="lead">${page.cause}</p></div>
${page.hint !== undefined && html`<h2>What to do</h2>${advice(page.hint, page.settingsUrl)}`}`,
  });
}

export interface WaitingPage {
  readonly displayName: string;
  readonly authorizationUrl: string | undefined;
  /** RFC 8628: where to go and what to type there. */
  readonly device: { readonly verificationUri: string; readonly userCode: string } | undefined;
  /** Where a client was registered by hand: what its settings have to say, and where they are. */
  readonly client:
    | { readonly redirectUri: string; readonly settingsUrl: string | undefined; readonly provider: string }
    | undefined;
}

/** Says what the sign-in waits for, and asks again by itself. */
export function waitingPage(page: WaitingPage): string {
  const { device, displayName, client } = page;
  const authorizationUrl = linkable(page.authorizationUrl ?? device?.verificationUri);
  return layout({
    title: `Waiting for ${displayName}`,
    isWaiting: true,
    body: html`<div class="result">${sign('wait')}<h1>Waiting for ${displayName}</h1>
<p class="lead">${device === undefined ? 'Authorize authsome on its page. This one follows by itself.' : `Enter this code at ${displayName}. This page follows by itself.`}</p></div>
${device !== undefined && copyable('user-code', device.userCode, 'the code', 'large')}
${authorizationUrl !== undefined && html`<a class="button" href="${authorizationUrl}" rel="noreferrer">Continue to ${displayName}</a>`}
${client !== undefined && troubleAtProvider(displayName, client)}`,
  });
}

/** A provider that refuses the client shows so on a page of its own, and never sends anybody back. */
function troubleAtProvider(displayName: string, client: NonNullable<WaitingPage['client']>) {
  const settingsUrl = linkable(client.settingsUrl);
  return html`<h2>If ${displayName} shows an error</h2>
<p class="lead">The callback URL in ${settingsUrl === undefined ? 'its OAuth settings' : html`<a href="${settingsUrl}" target="_blank" rel="noopener noreferrer">its OAuth settings</a>`} has to be exactly:</p>
${copyable('redirect-uri', client.redirectUri, 'the redirect URI')}
<p class="lead">If the client ID or secret was mistyped, enter them again after:</p>
${copyable('revoke', `authsome revoke ${client.provider}`, 'the command')}`;
}

/** The page for a callback whose state no live sign-in of ours sent. */
export function stateMismatchPage(): string {
  return failedPage({
    kind: 'warn',
    heading: 'This tab is out of date',
    cause: 'OAuth state parameter does not match.',
    hint: 'Most likely a tab from an earlier sign-in was used. Close this tab: a sign-in that is still waiting goes on.\nIf you did not open it yourself, find out where it came from before you try again.',
    settingsUrl: undefined,
  });
}

/** The page for a session id that is unknown, or of a sign-in that was cancelled. */
export function sessionGonePage(reason: 'unknown' | 'cancelled', signInAgain: string): string {
  return failedPage({
    kind: 'warn',
    heading: reason === 'unknown' ? 'There is no such sign-in' : 'This sign-in was cancelled',
    cause: 'Nothing was stored, and nothing was changed.',
    hint: `Start again from your terminal: ${signInAgain}`,
    settingsUrl: undefined,
  });
}
