import type { Client, InspectDocument, LoginRequest } from '../../client/index.ts';
import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { announceUrl, waitingDocument } from '../login/announce.ts';
import { type Attendance, attend, conclude, type Setup } from '../login/attend.ts';
import { openBrowser } from '../login/browser.ts';
import { processInput } from '../login/input.ts';
import { cancelled, followSession } from '../login/session.ts';
import { surroundingsOf } from '../login/surroundings.ts';

export interface LoginOptions {
  readonly provider: string;
  readonly connection?: string;
  readonly flow?: string;
  readonly scopes?: readonly string[];
  readonly baseUrl?: string;
  readonly force: boolean;
  readonly browser: boolean;
}

/** Starts a sign-in and stays with it to its end. Throws why it failed; `Cancelled` when interrupted. */
export async function login(
  context: CommandContext,
  options: LoginOptions,
  attendance: Omit<Attendance, 'mayOpen' | 'setup'>,
): Promise<void> {
  const client = await context.client();
  const definition = await definitionOf(client, options);
  const flow = await chosenFlow(context, options, definition, attendance);
  const request = loginRequest({ ...options, ...(flow === undefined ? {} : { flow }) }, definition, context);
  const session = await client.login(request);
  if (session.status === 'waiting' && context.terminal.json) {
    context.terminal.document(waitingDocument(session));
  }
  await attend(context, client, session, {
    ...attendance,
    mayOpen: options.browser,
    setup: setupIn(definition),
  });
}

/** Follows a sign-in that another process started. */
export async function follow(context: CommandContext, id: string, interrupted: AbortSignal): Promise<void> {
  const client = await context.client();
  const session = await client.authSession(id);
  if (context.terminal.json && session.status === 'waiting')
    context.terminal.document(waitingDocument(session));
  const ended = await followSession(client, session, { changed: () => {}, signal: interrupted });
  conclude(context, ended);
}

/** Tells how a sign-in stands, without waiting. */
async function tellStatus(context: CommandContext, id: string): Promise<void> {
  const { terminal } = context;
  const session = await (await context.client()).authSession(id);
  if (session.status !== 'waiting') conclude(context, session);
  else if (terminal.json) terminal.document(waitingDocument(session));
  else {
    terminal.print(`waiting for ${session.display_name}`);
    announceUrl(context, session);
  }
}

/** `undefined` for a URL that has yet to be discovered. */
async function definitionOf(client: Client, options: LoginOptions): Promise<InspectDocument | undefined> {
  const { provider, baseUrl } = options;
  if (/^https?:\/\//i.test(provider)) return undefined;
  return client.inspectProvider(provider, baseUrl === undefined ? {} : { baseUrl });
}

/** What is asked of the daemon, with the values of the variables that the definition names. */
function loginRequest(
  options: LoginOptions,
  definition: InspectDocument | undefined,
  context: CommandContext,
): LoginRequest {
  const { provider, connection, flow, scopes, baseUrl, force } = options;
  const fromEnvironment = (section: string, key: string, what: string): string | undefined => {
    const name = textIn(definition, section, key);
    const value = name === undefined ? undefined : context.environment[name];
    if (value === undefined || value === '') return undefined;
    context.terminal.note(`Using the ${what} in ${name}.`);
    return value;
  };
  const usesKey = (flow ?? definition?.flow) === 'api_key';
  const apiKey = usesKey ? fromEnvironment('api_key', 'env_var', 'key') : undefined;
  const clientId = usesKey ? undefined : fromEnvironment('client', 'client_id_env', 'client id');
  const clientSecret = usesKey ? undefined : fromEnvironment('client', 'client_secret_env', 'client secret');
  return {
    provider,
    force,
    ...(connection === undefined ? {} : { connection }),
    ...(flow === undefined ? {} : { flow }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
    ...(apiKey === undefined ? {} : { api_key: apiKey }),
    ...(clientId === undefined ? {} : { client_id: clientId }),
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
  };
}

/** The flow asked for; without a browser, a code on another device is offered where the service has that. */
async function chosenFlow(
  context: CommandContext,
  options: LoginOptions,
  definition: InspectDocument | undefined,
  { input, interrupted }: Pick<Attendance, 'input' | 'interrupted'>,
): Promise<string | undefined> {
  const { terminal, environment, platform } = context;
  const { flow, browser } = options;
  const { oauth } = (definition ?? {}) as { oauth?: { supports_device_code?: unknown } };
  const hasCode = definition?.flow !== 'device_code' && oauth?.supports_device_code === true;
  if (flow !== undefined || !hasCode || !browser || terminal.json) return flow;
  const { browsers } = surroundingsOf('https://authsome.invalid', environment, platform);
  if (browsers.length > 0) return undefined;
  if (!input.isTerminal) {
    terminal.note('There is no browser here. To sign in with a code on another device instead, run:');
    terminal.note(`  ${signInLine({ ...options, flow: 'device_code' })}`);
    return undefined;
  }
  const question = 'There is no browser here. Sign in with a code on another device? [Y/n] ';
  const answer = await input.text(question, interrupted);
  if (answer === undefined) throw cancelled();
  return /^\s*n/i.test(answer) ? undefined : 'device_code';
}

function setupIn(definition: InspectDocument | undefined): Setup {
  const { steps } = (definition?.setup ?? {}) as { steps?: unknown };
  const isText = (step: unknown): step is string => typeof step === 'string';
  return {
    url: textIn(definition, 'setup', 'url'),
    steps: Array.isArray(steps) ? steps.filter(isText) : [],
  };
}

function textIn(document: InspectDocument | undefined, section: string, key: string): string | undefined {
  const part = document?.[section];
  if (typeof part !== 'object' || part === null) return undefined;
  const value = (part as Readonly<Record<string, unknown>>)[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

interface ParsedOptions extends Omit<LoginOptions, 'provider' | 'scopes'> {
  readonly scopes?: readonly string[];
  readonly wait?: string;
  readonly status?: string;
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument(
      '[provider]',
      'a name from `authsome list --all`, or the URL of a service; left out: the last one again',
    )
    .option('--connection <name>', 'a name for it, to have several; otherwise default')
    .option('--flow <flow>', 'pkce, dcr_pkce, device_code, api_key or client_credentials')
    .option('--scopes <a,b>', 'what to ask for, instead of the usual', splitScopes)
    .option('--base-url <url>', 'for a service that runs at many addresses')
    .option('--force', 'replace a connection of that name', false)
    .option('--no-browser', 'start no browser; the address is printed anyway')
    .option('--wait <session>', 'follow a sign-in that was started elsewhere to its end')
    .option('--status <session>', 'tell how a sign-in stands')
    .action((provider: string | undefined, options: ParsedOptions) =>
      finish(act(context, provider, options)),
    );
  addExamples(command, [
    ['authsome login github', 'in the browser'],
    ['authsome login github --connection work --scopes repo,read:org', ''],
    ['authsome login github --flow device_code', 'with a code on another device'],
    ['pass openai | authsome login openai', 'with a key from a pipe'],
    ['authsome login linear --json', 'for agents: the URL and the session at once'],
  ]);
};

async function act(
  context: CommandContext,
  provider: string | undefined,
  options: ParsedOptions,
): Promise<void> {
  const { wait, status, ...rest } = options;
  if (status !== undefined) return tellStatus(context, status);
  const interrupted = interruption();
  if (wait !== undefined) return follow(context, wait, interrupted);
  const target = provider === undefined ? await unfinished(context) : { provider };
  const input = processInput(process.stdin.isTTY === true);
  return login(
    context,
    { ...target, ...rest },
    {
      input,
      interrupted,
      openBrowser: (commands) => openBrowser(commands, context.environment),
    },
  );
}

/** What to sign in to when no provider is named: the sign-in that came to nothing, once more. */
async function unfinished(context: CommandContext): Promise<Omit<LoginOptions, 'force' | 'browser'>> {
  const client = await context.client();
  try {
    const { provider, connection, flow, requested_scopes, base_url } = await client.authSession('last');
    context.terminal.note(`Signing in to ${provider}/${connection} again.`);
    const baseUrl = base_url === null ? {} : { baseUrl: base_url };
    return { provider, connection, flow, scopes: requested_scopes, ...baseUrl };
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'SessionNotFound') throw error;
    throw new AuthsomeError('Usage', 'login needs a provider', {
      hint: 'For example: authsome login github. All of them: authsome list --all',
    });
  }
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => controller.abort());
  return controller.signal;
}

function splitScopes(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((scope) => scope !== '');
}
