import type { AuthSessionDocument } from '../../client/index.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { showsLinks } from './surroundings.ts';

/** What agents read at once: where to send their user, and how to ask about it later. */
export function waitingDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, flow, session_id, auth_url, verification_uri, user_code } = session;
  const device = verification_uri === undefined ? {} : { verification_uri, user_code };
  return { v: 1, status: 'waiting', provider, connection, flow, session_id, auth_url, ...device };
}

export function connectedDocument(session: AuthSessionDocument): Readonly<Record<string, unknown>> {
  const { provider, connection, scopes, expires_at, account } = session;
  return { v: 1, status: 'connected', provider, connection, scopes, expires_at, account };
}

/** Where to go, always as plain text: the person may read it to another device. */
export function announceUrl(context: CommandContext, session: AuthSessionDocument): void {
  const { terminal, environment } = context;
  const { bold, cyan } = terminal.noteStyle;
  const link = (url: string): string => {
    const shown = cyan(url);
    const isLink = terminal.isInteractive && showsLinks(environment);
    return isLink ? `\u001b]8;;${url}\u001b\\${shown}\u001b]8;;\u001b\\` : shown;
  };
  if (session.verification_uri !== undefined) {
    terminal.warn(
      `Open ${link(session.verification_uri)} on any device and enter the code ${bold(session.user_code ?? '')}`,
    );
  } else if (session.auth_url !== null) {
    terminal.warn(`To sign in to ${bold(session.display_name)}, open:\n  ${link(session.auth_url)}`);
  }
}

/** Shows the warnings after the first `shown` of them. */
export function announceWarnings(context: CommandContext, session: AuthSessionDocument, shown: number): void {
  for (const warning of session.warnings.slice(shown)) {
    context.terminal.warn(failureText(context.terminal, warning));
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
