import { alert, type FormPage, settingsLink } from './form.ts';
import { html, linkable } from './html.ts';
import { layout } from './layout.ts';

export interface ApiKeyFormPage extends FormPage {
  /** What a key looks like, in words. */
  readonly keyHint: string | undefined;
}

/** The form for an API key, in a masked field. */
export function apiKeyFormPage(page: ApiKeyFormPage): string {
  const settingsUrl = linkable(page.setup.url);
  // A problem with the key says by itself what a key looks like.
  const keyHint =
    page.keyHint !== undefined && page.problem?.includes(page.keyHint) === true ? undefined : page.keyHint;
  const describedBy = [keyHint !== undefined && 'key-hint', page.problem !== undefined && 'problem']
    .filter((id) => id !== false)
    .join(' ');
  return layout({
    title: `Connect ${page.displayName}`,
    body: html`<h1>Connect ${page.displayName}</h1>
<p class="lead">Paste an API key. It is stored in the encrypted vault; agents that use it never see it.</p>
${page.setup.steps.length > 0 && html`<h2>Where to find it</h2><ol class="steps">${page.setup.steps.map((step) => html`<li>${step}</li>`)}</ol>`}
${settingsLink(settingsUrl, `${page.displayName} API keys`)}
${alert(page.problem)}
<form method="post" action="${page.action}" autocomplete="off">
<input type="hidden" name="csrf_token" value="${page.csrfToken}">
<label for="api_key">API key</label>
<input id="api_key" name="api_key" type="password" required autofocus autocomplete="off" autocapitalize="none" spellcheck="false"${describedBy !== '' && html` aria-describedby="${describedBy}"`}${page.problem !== undefined && html` aria-invalid="true"`}>
${keyHint !== undefined && html`<p class="note" id="key-hint">${keyHint}</p>`}
<button type="submit">Connect ${page.displayName}</button>
</form>
<p class="note">It is stored as the connection “${page.connection}”.</p>`,
  });
}
