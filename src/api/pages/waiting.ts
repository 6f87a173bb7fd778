import { html, linkable } from './html.ts';
import { copyable, layout, sign } from './layout.ts';

export interface WaitingPage {
  readonly displayName: string;
  readonly authorizationUrl: string | undefined;
  /** RFC 8628: where to go and what to type there. */
  readonly device: { readonly verificationUri: string; readonly userCode: string } | undefined;
  /** For a client that was registered by hand: what its settings must contain, and where they are. */
  readonly client:
    | { readonly redirectUri: string; readonly settingsUrl: string | undefined; readonly provider: string }
    | undefined;
}

/** Says what the sign-in waits for, and follows it by itself. */
export function waitingPage(page: WaitingPage): string {
  const { device, displayName, client } = page;
  const authorizationUrl = linkable(page.authorizationUrl ?? device?.verificationUri);
  return layout({
    title: `Waiting for ${displayName}`,
    isWaiting: true,
    body: html`<div class="result">${sign('wait')}<h1>Waiting for ${displayName}</h1>
<p class="lead">${device === undefined ? `Authorize authsome at ${displayName}. This page updates by itself.` : `Enter this code at ${displayName}. This page updates by itself.`}</p></div>
${device !== undefined && copyable('user-code', device.userCode, 'the code', 'large')}
${authorizationUrl !== undefined && html`<a class="button" href="${authorizationUrl}" rel="noreferrer">Continue to ${displayName}</a>`}
${client !== undefined && troubleAtProvider(displayName, client)}`,
  });
}

/** A provider that refuses the client says so on its own page and sends nobody back. */
function troubleAtProvider(displayName: string, client: NonNullable<WaitingPage['client']>) {
  const settingsUrl = linkable(client.settingsUrl);
  return html`<h2>If ${displayName} shows an error</h2>
<p class="lead">The callback URL in ${settingsUrl === undefined ? 'its OAuth settings' : html`<a href="${settingsUrl}" target="_blank" rel="noopener noreferrer">its OAuth settings</a>`} must be exactly:</p>
${copyable('redirect-uri', client.redirectUri, 'the redirect URI')}
<p class="lead">If the client ID or secret is wrong, clear both with this command, then sign in again:</p>
${copyable('revoke', `authsome revoke ${client.provider}`, 'the command')}`;
}
