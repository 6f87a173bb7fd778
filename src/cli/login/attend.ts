import type { AuthSessionDocument, Client } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { announceConnected, announceUrl, announceWarnings, connectedDocument } from './announce.ts';
import type { SignInInput } from './input.ts';
import { cancelled, failureOf, followSession } from './session.ts';
import { isOpenable, type Surroundings, surroundingsOf } from './surroundings.ts';

/** The person's side of a sign-in, as the process has it or as a test plays it. */
export interface Attendance {
  readonly input: SignInInput;
  /** Whether one of these could be started. */
  openBrowser(commands: Surroundings['browsers']): Promise<boolean>;
  /** Not `--no-browser`. */
  readonly mayOpen: boolean;
  /** Aborts when the person has had enough (Ctrl-C). */
  readonly interrupted: AbortSignal;
}

interface SignIn extends Attendance {
  readonly context: CommandContext;
  readonly client: Client;
  readonly session: AuthSessionDocument;
  /** Aborts when the sign-in is over, whichever way. */
  readonly over: AbortSignal;
}

/**
 * Stays with a sign-in to its end, with everything that may bring it about: the browser, a pasted URL, a typed or piped
 * key; whichever comes first. Throws why it failed.
 */
export async function attend(
  context: CommandContext,
  client: Client,
  session: AuthSessionDocument,
  attendance: Attendance,
): Promise<void> {
  const ending = new AbortController();
  const over = AbortSignal.any([ending.signal, attendance.interrupted]);
  const signIn: SignIn = { ...attendance, context, client, session, over };
  let shown: AuthSessionDocument | undefined;
  const changed = (next: AuthSessionDocument): void => {
    if (next.status === 'waiting' && next.auth_url !== shown?.auth_url) announce(signIn, next);
    announceWarnings(context, next, shown?.warnings.length ?? 0);
    shown = next;
  };
  changed(session);
  try {
    const answered = session.status === 'waiting' ? takeAnswers(signIn) : undefined;
    const ended = followSession(client, session, { changed, signal: over });
    conclude(context, await Promise.race(answered === undefined ? [ended] : [ended, answered]));
  } catch (error) {
    const isInterrupted = attendance.interrupted.aborted;
    const isRefused = error instanceof AuthsomeError && error.code === 'InvalidKey';
    if (isInterrupted || isRefused) {
      await client.cancelAuthSession(session.session_id).catch(() => undefined);
    }
    throw isInterrupted ? cancelled() : error;
  } finally {
    ending.abort();
  }
}

/** Says how an ended sign-in went; throws when it went wrong. */
export function conclude(context: CommandContext, session: AuthSessionDocument): void {
  const failure = failureOf(session);
  if (failure !== undefined) throw failure;
  if (context.terminal.json) context.terminal.document(connectedDocument(session));
  else announceConnected(context, session);
}

function announce({ context, input }: SignIn, session: AuthSessionDocument): void {
  const { terminal } = context;
  if (terminal.json) return;
  announceUrl(context, session);
  // As long as a page of ours asks for something, there is nothing to paste yet.
  const isProviders = session.auth_url !== null && !isSameOrigin(session.auth_url, session.redirect_uri);
  if (input.isTerminal && isProviders) {
    terminal.note('  If the browser runs elsewhere, paste the address it ends at here.');
  }
}

/** Opens every way to answer. Rejects when a piped key is refused: nobody is there to mend it. Never resolves. */
async function takeAnswers(signIn: SignIn): Promise<never> {
  const { context, client, session, input, over } = signIn;
  const isOpened = showInBrowser(signIn);
  if (session.accepts_secret) {
    if (input.isTerminal && !isOpened && !context.terminal.json) {
      askForSecret(signIn).catch((error: unknown) => say(signIn, error));
    } else if (!input.isTerminal) {
      const key = await input.piped(over);
      if (key !== undefined) await client.answerSecret(session.session_id, key);
    }
  } else if (input.isTerminal && !context.terminal.json && session.verification_uri === undefined) {
    input.lines(over, (line) => void takePasted(signIn, line.trim()));
  }
  return new Promise(() => {});
}

/** Whether a browser is being started; otherwise it has been said why not. */
function showInBrowser({ context, session, mayOpen, openBrowser, over }: SignIn): boolean {
  const { terminal, environment, platform } = context;
  const url = session.verification_uri ?? session.auth_url;
  if (url === null || !mayOpen || terminal.json || !isOpenable(url)) return false;
  const { browsers, reason } = surroundingsOf(url, environment, platform);
  if (browsers.length === 0) {
    if (reason !== undefined) terminal.note(`  No browser is started: ${reason}.`);
    return false;
  }
  void openBrowser(browsers).then((opened) => {
    if (opened || over.aborted) return;
    terminal.note('  No browser could be started. Open the address yourself, or set BROWSER, for example:');
    terminal.note('    export BROWSER=$(which firefox)');
  });
  return true;
}

async function takePasted(signIn: SignIn, pasted: string): Promise<void> {
  const { context, client, session } = signIn;
  if (pasted === '') return;
  if (!pasted.startsWith(session.redirect_uri)) {
    context.terminal.note(`  That is not the address it ends at, which begins with ${session.redirect_uri}`);
    return;
  }
  await client.answerCallback(session.session_id, pasted).catch((error: unknown) => say(signIn, error));
}

/** Asks until a key is taken: one that is refused can be mended on the spot. */
async function askForSecret(signIn: SignIn): Promise<void> {
  const { client, session, input, over } = signIn;
  while (!over.aborted) {
    const key = await input.secret(`API key for ${session.display_name}`, over);
    if (key === undefined) {
      if (!over.aborted) await client.cancelAuthSession(session.session_id);
      return;
    }
    try {
      await client.answerSecret(session.session_id, key);
      return;
    } catch (error) {
      if (!(error instanceof AuthsomeError) || error.code !== 'InvalidKey') throw error;
      say(signIn, error);
    }
  }
}

/** An answer went wrong; the sign-in goes on. */
function say({ context: { terminal }, over }: SignIn, error: unknown): void {
  if (!over.aborted && error instanceof AuthsomeError) terminal.warn(failureText(terminal, error));
}

function isSameOrigin(left: string, right: string): boolean {
  return new URL(left).origin === new URL(right).origin;
}
