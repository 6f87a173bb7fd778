import type { AuthSessionDocument } from '../../client/index.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { hyperlink, type SafeText, safe, text } from '../output/safe-text.ts';
import { showsLinks } from './browser-environment.ts';

/** The document that an agent gets at once: where to send its user, and how to follow the sign-in. */
export function waitingDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, flow, session_id, auth_url, verification_uri, user_code } = session;
  const { provider_url, provider_url_expires_at } = session;
  const device = verification_uri === undefined ? {} : { verification_uri, user_code };
  return {
    v: 1,
    status: 'waiting',
    provider,
    connection,
    flow,
    session_id,
    auth_url,
    ...(provider_url === null ? {} : { provider_url }),
    ...(provider_url_expires_at === null ? {} : { provider_url_expires_at }),
    ...device,
  };
}

export function connectedDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, scopes, expires_at, account } = session;
  const warnings = session.warnings.filter(({ error }) => error === 'OpenedElsewhere');
  const doubt = warnings.length === 0 ? {} : { warnings };
  return { v: 1, status: 'connected', provider, connection, scopes, expires_at, account, ...doubt };
}

/**
 * The addresses to open, those that `shown` did not have, always as plain text, so that a person can copy one to another
 * device.
 */
export function announceUrl(
  context: CommandContext,
  session: AuthSessionDocument,
  shown?: AuthSessionDocument,
): void {
  const { terminal } = context;
  const { bold } = terminal.noteStyle;
  const { verification_uri, user_code, auth_url, provider_url, display_name: name } = session;
  if (verification_uri !== undefined) {
    terminal.warn(
      text`Open ${link(context, verification_uri)} on any device and enter the code ${bold(safe(user_code ?? ''))}`,
    );
    return;
  }
  if (auth_url !== null && auth_url !== shown?.auth_url) {
    terminal.warn(
      text`To sign in to ${bold(safe(name))}, open on this machine:\n  ${link(context, auth_url)}`,
    );
  }
  if (provider_url !== null && provider_url !== shown?.provider_url) {
    terminal.warn(text`On another device, open the authorization URL:\n  ${link(context, provider_url)}`);
  }
}

/** Printed with the URL of the provider's page: what to do when the page does not lead back here. */
export function announceProvider(
  { terminal, now }: CommandContext,
  session: AuthSessionDocument,
  { settingsUrl, takesPaste }: { readonly settingsUrl: string | undefined; readonly takesPaste: boolean },
): void {
  const { display_name: name, redirect_uri: redirectUri, flow, provider_url_expires_at: end } = session;
  if (end !== null) {
    const seconds = Math.max(Math.round((Date.parse(end) - now()) / 1000), 0);
    const more = takesPaste ? 'press Enter' : `run: authsome login --status ${session.session_id}`;
    terminal.note(`  It works once, within ${seconds} seconds. For a new one, ${more}`);
  }
  if (takesPaste) terminal.note('  Paste the final address here if that device cannot load it.');
  // Only a client that was registered by hand can have a wrong redirect URI.
  if (flow === 'pkce') {
    const where = settingsUrl === undefined ? '' : ` at ${settingsUrl}`;
    terminal.note(`  If ${name} refuses the redirect URI, register exactly ${redirectUri}${where}`);
  } else if (flow === 'dcr_pkce') {
    terminal.note(
      `  If ${name} does not know the client, press Ctrl-C and sign in again: that registers a new one.`,
    );
  }
}

/** Asks for an OAuth client in the terminal: what to register, where, and with which redirect URI. */
export function announceClient(
  context: CommandContext,
  session: AuthSessionDocument,
  setup: { readonly url: string | undefined; readonly steps: readonly string[] },
): void {
  const { terminal } = context;
  const { bold } = terminal.noteStyle;
  terminal.warn(text`${bold(safe(session.display_name))} needs an OAuth app (one-time setup).`);
  for (const [index, step] of setup.steps.entries()) terminal.note(`  ${index + 1}. ${step}`);
  if (setup.url !== undefined) terminal.warn(text`  Register it at: ${link(context, setup.url)}`);
  terminal.warn(`  Redirect URI:   ${session.redirect_uri}`);
  if (session.auth_url !== null) {
    terminal.warn(
      text`Enter its client ID here, or on this page of this machine:\n  ${link(context, session.auth_url)}`,
    );
  }
}

function link({ terminal, environment }: CommandContext, url: string): SafeText {
  const shown = terminal.noteStyle.cyan(safe(url));
  const isLink = terminal.isInteractive && showsLinks(environment);
  return isLink ? hyperlink(url, shown) : shown;
}

/** Prints the warnings after the first `shown`. */
export function announceWarnings(context: CommandContext, session: AuthSessionDocument, shown: number): void {
  for (const warning of session.warnings.slice(shown)) {
    context.terminal.warn(failureText(context.terminal, warning, warning.error));
    if (session.status === 'waiting') context.terminal.note('  Still waiting for you to sign in…');
  }
}

export function announceConnected(context: CommandContext, session: AuthSessionDocument): void {
  const { terminal } = context;
  const account = session.account === null ? '' : ` as ${session.account}`;
  terminal.note(
    text`${terminal.noteStyle.green(safe('✓'))} Connected ${session.provider}/${session.connection}${account}`,
  );
  if (session.scopes.length > 0) terminal.note(`  granted: ${session.scopes.join(', ')}`);
}
