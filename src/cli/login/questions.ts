import type { AuthSessionDocument, Client } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import type { SignInInput } from './input.ts';

/** What the terminal can ask in the current state of a sign-in. */
export type Question = 'client' | 'secret' | 'redirect';

/** `undefined` when there is nothing to ask, or a browser shows the page that asks. */
export function questionOf(session: AuthSessionDocument, isInBrowser: boolean): Question | undefined {
  if (session.status !== 'waiting') return undefined;
  if (session.accepts_secret) return isInBrowser ? undefined : 'secret';
  if (session.accepts_client) return isInBrowser ? undefined : 'client';
  return session.verification_uri === undefined && session.provider_url !== null ? 'redirect' : undefined;
}

/** The sign-in of a question, and where to ask. */
interface Asking {
  readonly context: CommandContext;
  readonly client: Client;
  readonly session: AuthSessionDocument;
  readonly input: SignInInput;
}

/** Asks at the terminal until there is an answer or `signal` aborts. The session reports the end of the sign-in. */
export async function ask(question: Question, asking: Asking, signal: AbortSignal): Promise<void> {
  switch (question) {
    case 'secret':
      return askForSecret(asking, signal);
    case 'client':
      return askForClient(asking, signal);
    case 'redirect':
      return asking.input.lines(signal, (line) => void takePasted(asking, line.trim(), signal));
  }
}

async function askForSecret({ context, client, session, input }: Asking, signal: AbortSignal): Promise<void> {
  const { session_id: id, display_name: name } = session;
  while (!signal.aborted) {
    const key = await input.secret(`API key for ${name}: `, signal);
    if (key === undefined) return giveUp(client, id, signal);
    if (await isTaken(context, signal, () => client.answerSecret(id, key))) return;
  }
}

async function askForClient({ context, client, session, input }: Asking, signal: AbortSignal): Promise<void> {
  const { session_id: id } = session;
  while (!signal.aborted) {
    const clientId = await input.text('Client ID: ', signal, { isFollowed: true });
    if (clientId === undefined) return giveUp(client, id, signal);
    const clientSecret = await input.secret('Client secret (press Enter if there is none): ', signal);
    if (clientSecret === undefined) return giveUp(client, id, signal);
    if (await isTaken(context, signal, () => client.answerClient(id, { clientId, clientSecret }))) return;
  }
}

async function takePasted(asking: Asking, pasted: string, signal: AbortSignal): Promise<void> {
  const { context, client, session } = asking;
  if (pasted === '') {
    if (session.provider_url_expires_at !== null) await renew(asking, signal);
    return;
  }
  if (!pasted.startsWith(session.redirect_uri)) {
    context.terminal.note(`  That is not the final address. It must begin with ${session.redirect_uri}`);
    return;
  }
  try {
    await client.answerCallback(session.session_id, pasted);
  } catch (error) {
    // A foreign state is a warning of the session's own, and is shown as such.
    const isShown = error instanceof AuthsomeError && error.code === 'StateMismatch';
    if (!isShown) say(context, signal, error);
  }
}

/** Requests an unused address, which is printed when the session has it. */
async function renew({ context, client, session }: Asking, signal: AbortSignal): Promise<void> {
  try {
    await client.renewProviderUrl(session.session_id);
  } catch (error) {
    say(context, signal, error);
  }
}

/** Whether the question is settled. An answer that was refused for its form can be corrected at once. */
async function isTaken(
  context: CommandContext,
  signal: AbortSignal,
  answer: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await answer();
    return true;
  } catch (error) {
    say(context, signal, error);
    return !(error instanceof AuthsomeError) || error.code !== 'InvalidKey';
  }
}

/** Reports an answer that failed, unless the question has been answered elsewhere. The sign-in continues. */
function say({ terminal }: CommandContext, signal: AbortSignal, error: unknown): void {
  if (!signal.aborted && error instanceof AuthsomeError)
    terminal.warn(failureText(terminal, error, error.code));
}

/** A prompt that ended without an answer was left with Ctrl-C or Ctrl-D. */
async function giveUp(client: Client, id: string, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await client.cancelAuthSession(id);
}
