import { alert, type FormPage, settingsLink } from './form.ts';
import { html, linkable } from './html.ts';
import { copyable, layout } from './layout.ts';

export interface ClientFormPage extends FormPage {
  readonly redirectUri: string;
  /** What was entered last time; not a secret. */
  readonly clientId: string;
}

/** The form for the OAuth client that the person created at the provider. */
export function clientFormPage(page: ClientFormPage): string {
  const settingsUrl = linkable(page.setup.url);
  const steps =
    page.setup.steps.length > 0
      ? page.setup.steps.map((step) => html`<li>${step}</li>`)
      : html`<li>Create an OAuth app at ${page.displayName}.</li><li>Set its redirect URI to the one below.</li><li>Copy its client ID and client secret into this form.</li>`;
  return layout({
    title: `Connect ${page.displayName}`,
    body: html`<h1>Connect ${page.displayName}</h1>
<p class="lead">${page.displayName} needs an OAuth app (one-time setup). After that, signing in takes one click.</p>
<h2>Create the app</h2>
<ol class="steps">${steps}</ol>
${settingsLink(settingsUrl, `${page.displayName} settings`)}
<h2 id="redirect-label">Redirect URI (copy exactly)</h2>
${copyable('redirect-uri', page.redirectUri, 'the redirect URI')}
${alert(page.problem)}
<form method="post" action="${page.action}" autocomplete="off">
<input type="hidden" name="csrf_token" value="${page.csrfToken}">
<label for="client_id">Client ID</label>
<input id="client_id" name="client_id" value="${page.clientId}" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false"${page.problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`}>
<label for="client_secret">Client secret <span class="optional">(if there is one)</span></label>
<input id="client_secret" name="client_secret" type="password" autocomplete="off" autocapitalize="none" spellcheck="false">
<button type="submit">Continue to ${page.displayName}</button>
</form>
<p class="note">Both are stored in the encrypted vault on this machine, for the connection “${page.connection}” and later ones.</p>`,
  });
}
