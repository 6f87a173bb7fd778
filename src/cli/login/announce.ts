import type { AuthSessionDocument } from '../../client/index.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { showsLinks } from './browser-environment.ts';

/** What agents read at once: where to send their user, and how to ask about it later. */
export function waitingDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, flow, session_id, auth_url, verification_uri, user_code } = session;
  const { auth_url_expires_at } = session;
  const device = verification_uri === undefined ? {} : { verification_uri, user_code };
  const end = auth_url_expires_at === null ? {} : { auth_url_expires_at };
  return { v: 1, status: 'waiting', provider, connection, flow, session_id, auth_url, ...end, ...device };
}

export function connectedDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, scopes, expires_at, account } = session;
  return { v: 1, status: 'connected', provider, connection, scopes, expires_at, account };
}

/** Where to go, always as plain text: the person may read it to another device. */
export function announceUrl(context: CommandContext, session: AuthSessionDocument): void {
  const { terminal } = context;
  const { bold } = terminal.noteStyle;
  if (session.verification_uri !== undefined) {
    terminal.warn(
      `Open ${link(context, session.verification_uri)} on any device and enter the code ${bold(session.user_code ?? '')}`,
    );
  } else if (session.auth_url !== null) {
    terminal.warn(`To sign in to ${bold(session.display_name)}, open:\n  ${link(context, session.auth_url)}`);
  }
}

/** Beside the URL of the provider's own page: what to do where it does not lead back here. */
export function announceProvider(
  { terminal, now }: CommandContext,
  session: AuthSessionDocument,
  { settingsUrl, takesPaste }: { readonly settingsUrl: string | undefined; readonly takesPaste: boolean },
): void {
  const { display_name: name, redirect_uri: redirectUri, flow, auth_url_expires_at: end } = session;
  if (end !== null) {
    const seconds = Math.max(Math.round((Date.parse(end) - now()) / 1000), 0);
    const more = takesPaste ? 'press Enter' : `run: authsome login --status ${session.session_id}`;
    terminal.note(`  It works once, within ${seconds} seconds. For another one, ${more}`);
  }
  if (takesPaste) terminal.note('  If the browser runs elsewhere, paste the address it ends at here.');
  // Who registered the client by hand is the one who can have got it wrong.
  if (flow === 'pkce') {
    const where = settingsUrl === undefined ? '' : ` at ${settingsUrl}`;
    terminal.note(`  If ${name} refuses the redirect URI, register exactly ${redirectUri}${where}`);
  } else if (flow === 'dcr_pkce') {
    terminal.note(
      `  If ${name} does not know the client, press Ctrl-C and sign in again: another one is registered.`,
    );
  }
}

/** Asks for an OAuth client where no page can: what to register, where, and with which redirect URI. */
export function announceClient(
  context: CommandContext,
  session: AuthSessionDocument,
  setup: { readonly url: string | undefined; readonly steps: readonly string[] },
): void {
  const { terminal } = context;
  const { bold } = terminal.noteStyle;
  terminal.warn(`${bold(session.display_name)} needs an OAuth client of yours, once.`);
  for (const [index, step] of setup.steps.entries()) terminal.note(`  ${index + 1}. ${step}`);
  if (setup.url !== undefined) terminal.warn(`  Register it at: ${link(context, setup.url)}`);
  terminal.warn(`  Redirect URI:   ${session.redirect_uri}`);
  if (session.auth_url !== null) {
    terminal.warn(`Enter it here, or on this page of this machine:\n  ${link(context, session.auth_url)}`);
  }
}

function link({ terminal, environment }: CommandContext, url: string): string {
  const shown = terminal.noteStyle.cyan(url);
  const isLink = terminal.isInteractive && showsLinks(environment);
  return isLink ? `\u001b]8;;${url}\u001b\\${shown}\u001b]8;;\u001b\\` : shown;
}

/** Shows the warnings after the first `shown` of them. */
export function announceWarnings(context: CommandContext, session: AuthSessionDocument, shown: number): void {
  for (const warning of session.warnings.slice(shown)) {
    context.terminal.warn(failureText(context.terminal, warning, warning.error));
    context.terminal.note('  The sign-in goes on waiting.');
  }
}

export function announceConnected(context: CommandContext, session: AuthSessionDocument): void {
  const { terminal } = context;
  const account = session.account === null ? '' : ` as ${session.account}`;
  terminal.note(
    `${terminal.noteStyle.green('✓')} Connected ${session.provider}/${session.connection}${account}`,
  );
  if (session.scopes.length > 0) terminal.note(`  granted: ${session.scopes.join(', ')}`);
}
