import type { AuthSessionDocument, Client } from '../../client/index.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import {
  announceClient,
  announceConnected,
  announceProvider,
  announceUrl,
  announceWarnings,
  connectedDocument,
} from './announce.ts';
import { type BrowserEnvironment, browserEnvironment, isOpenable } from './browser-environment.ts';
import type { SignInInput } from './input.ts';
import { ask, type Question, questionOf } from './questions.ts';
import type { RedirectFile } from './redirect-file.ts';
import { cancelled, failureOf, followSession } from './session.ts';

/** The person's side of a sign-in: what the process offers, or what a test plays. */
export interface SignInInteraction {
  readonly input: SignInInput;
  /** Starts one of these browsers; whether that worked. */
  openBrowser(commands: BrowserEnvironment['browsers']): Promise<boolean>;
  /** Writes a page that leads a browser to `target`; throws an AuthsomeError where that cannot be. */
  writeRedirectFile(name: string, target: string): RedirectFile;
  /** Not `--no-browser`. */
  readonly mayOpen: boolean;
  /** Aborts when the person cancels (Ctrl-C). */
  readonly interrupted: AbortSignal;
  /** Where OAuth clients are registered at the provider, and how, where the definition says. */
  readonly setup: Setup;
}

export interface Setup {
  readonly url: string | undefined;
  readonly steps: readonly string[];
}

interface SignIn extends SignInInteraction {
  readonly context: CommandContext;
  readonly client: Client;
  readonly session: AuthSessionDocument;
  /** Aborts when the sign-in has ended, for whatever reason. */
  readonly finished: AbortSignal;
}

/**
 * Follows a sign-in to its end. The browser, what is typed or pasted here, or a piped key may complete it, whichever comes
 * first. Throws why it failed.
 */
export async function followSignIn(
  context: CommandContext,
  client: Client,
  session: AuthSessionDocument,
  interaction: SignInInteraction,
): Promise<void> {
  const ending = new AbortController();
  const finished = AbortSignal.any([ending.signal, interaction.interrupted]);
  const signIn: SignIn = { ...interaction, context, client, session, finished };
  const prompts = createPrompts(signIn);
  let shown: AuthSessionDocument | undefined;
  const start = browserStart(signIn);
  let isInBrowser = startBrowser(signIn, start, () => {
    isInBrowser = false;
    if (shown?.accepts_client === true) announce(signIn, shown, isInBrowser, undefined);
    if (shown !== undefined) prompts.show(shown, isInBrowser);
  });
  const changed = (next: AuthSessionDocument): void => {
    const isNew = next.auth_url !== shown?.auth_url || next.provider_url !== shown?.provider_url;
    if (next.status === 'waiting' && isNew) announce(signIn, next, isInBrowser, shown);
    announceWarnings(context, next, shown?.warnings.length ?? 0);
    if (next.in_browser) start?.file?.remove();
    shown = next;
    prompts.show(next, isInBrowser);
  };
  changed(session);
  try {
    const piped = session.accepts_secret ? takePiped(signIn) : new Promise<never>(() => {});
    const ended = followSession(client, session, { changed, signal: finished });
    conclude(context, await Promise.race([ended, piped]));
  } catch (error) {
    const isInterrupted = interaction.interrupted.aborted;
    const isRefused = error instanceof AuthsomeError && error.code === 'InvalidKey';
    if (isInterrupted || isRefused) {
      await client.cancelAuthSession(session.session_id).catch(() => undefined);
    }
    throw isInterrupted ? cancelled(shown, interaction.setup.url) : error;
  } finally {
    start?.file?.remove();
    ending.abort();
  }
}

/** Reports the result of a sign-in that has ended; throws when it failed. */
export function conclude(context: CommandContext, session: AuthSessionDocument): void {
  const failure = failureOf(session);
  if (failure !== undefined) throw failure;
  if (context.terminal.json) context.terminal.document(connectedDocument(session));
  else announceConnected(context, session);
}

function announce(
  { context, input, setup }: SignIn,
  session: AuthSessionDocument,
  isInBrowser: boolean,
  shown: AuthSessionDocument | undefined,
): void {
  if (context.terminal.json) return;
  const question = input.isTerminal ? questionOf(session, isInBrowser) : undefined;
  if (question === 'client') {
    announceClient(context, session, setup);
    return;
  }
  announceUrl(context, session, shown);
  if (questionOf(session, isInBrowser) === 'redirect') {
    announceProvider(context, session, { settingsUrl: setup.url, takesPaste: question === 'redirect' });
  }
}

/** The questions at this terminal, one at a time. A new one replaces one that was answered elsewhere. */
function createPrompts(signIn: SignIn) {
  const { context, client, input, finished } = signIn;
  const isAsking = input.isTerminal && !context.terminal.json;
  let asked: Question | undefined;
  let open = new AbortController();
  return {
    show(session: AuthSessionDocument, isInBrowser: boolean): void {
      const question = isAsking ? questionOf(session, isInBrowser) : undefined;
      if (question === asked) return;
      asked = question;
      open.abort();
      open = new AbortController();
      if (question === undefined) return;
      // The sign-in ends without this answer, too. An error of it has been shown.
      ask(question, { context, client, session, input }, AbortSignal.any([open.signal, finished])).catch(
        () => undefined,
      );
    },
  };
}

/** Rejects when a piped key is refused, since nobody can correct it. Never resolves. */
async function takePiped({ client, session, input, finished }: SignIn): Promise<never> {
  const key = input.isTerminal ? undefined : await input.piped(finished);
  if (key !== undefined) await client.answerSecret(session.session_id, key);
  return new Promise(() => {});
}

/** How a browser is started, and the file that leads it on, if there is one. */
interface BrowserStart {
  readonly browsers: BrowserEnvironment['browsers'];
  readonly file: RedirectFile | undefined;
}

/** `undefined` where none is to be started; the reason was printed. */
function browserStart({ context, session, mayOpen, writeRedirectFile }: SignIn): BrowserStart | undefined {
  const { terminal, environment, platform } = context;
  const url = session.verification_uri ?? session.auth_url;
  if (session.status !== 'waiting' || url === null || !mayOpen || terminal.json || !isOpenable(url))
    return undefined;
  const { browsers, reason } = browserEnvironment(url, environment, platform);
  if (browsers.length === 0) {
    if (reason !== undefined) terminal.note(`${reason}, so not opening a browser.`);
    return undefined;
  }
  // A device code's page is the same for everybody.
  if (url === session.verification_uri || session.excludes_others) return { browsers, file: undefined };
  try {
    const file = writeRedirectFile(session.session_id, url);
    return { browsers: browserEnvironment(file.url, environment, platform).browsers, file };
  } catch (error) {
    const { message } = asAuthsomeError(error);
    terminal.note(`No browser is opened: ${message}`);
    return undefined;
  }
}

/** Whether a browser is being started. Calls `failed` when none starts. */
function startBrowser(
  { context: { terminal }, openBrowser, finished }: SignIn,
  start: BrowserStart | undefined,
  failed: () => void,
): boolean {
  if (start === undefined) return false;
  void openBrowser(start.browsers).then((opened) => {
    if (opened || finished.aborted) return;
    terminal.note('  No browser could be opened. Open the address yourself, or set BROWSER, for example:');
    terminal.note('    export BROWSER=$(which firefox)');
    failed();
  });
  return true;
}
