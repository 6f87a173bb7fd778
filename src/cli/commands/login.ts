import type { AuthSessionDocument, Client, InspectDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { agentNames } from '../login/agents/names.ts';
import { announceUrl, announceWarnings, waitingDocument } from '../login/announce.ts';
import { openBrowser } from '../login/browser.ts';
import { conclude, followSignIn, type SignInInteraction } from '../login/follow-sign-in.ts';
import { processInput, type SignInInput } from '../login/input.ts';
import { writeRedirectFile } from '../login/redirect-file.ts';
import { chosenFlow, definitionOf, type LoginOptions, loginRequest, setupIn } from '../login/request.ts';
import { followSession } from '../login/session.ts';
import { textIn } from '../login/text-in.ts';
import { variablesRead } from '../login/variables.ts';

/** Starts a sign-in and follows it to its end. Throws why it failed; `Cancelled` when interrupted. */
export async function login(
  context: CommandContext,
  options: LoginOptions,
  interaction: Omit<SignInInteraction, 'mayOpen' | 'setup'>,
): Promise<void> {
  const client = await context.client();
  const definition = await definitionOf(client, options);
  if (await tookOver(context, client, { definition, options, input: interaction.input })) return;
  const flow = await chosenFlow(context, options, definition, interaction);
  const chosen = { ...options, ...(flow === undefined ? {} : { flow }) };
  const variables = await variablesRead(context, chosen, definition, interaction);
  const session = await client.login(loginRequest(chosen, variables));
  if (session.status === 'waiting' && context.terminal.json) {
    context.terminal.document(waitingDocument(session));
  }
  await followSignIn(context, client, session, {
    ...interaction,
    mayOpen: options.browser,
    setup: setupIn(definition),
  });
}

/** Whether the provider is a program that signs in by itself, and its sign-in is authsome's now. Throws why it cannot be. */
async function tookOver(
  context: CommandContext,
  client: Client,
  {
    definition,
    options,
    input,
  }: {
    readonly definition: InspectDocument | undefined;
    readonly options: LoginOptions;
    readonly input: SignInInput;
  },
): Promise<boolean> {
  const provider = definition?.name;
  if (typeof provider !== 'string' || !agentNames.includes(provider) || options.flow !== undefined)
    return false;
  const variable = textIn(definition, 'api_key', 'env_var');
  // A key that a person has at hand comes first.
  if (variable !== undefined && (input.isPipe || context.environment[variable])) return false;
  const { agentOf, machineOf, noSignIn, takeOver } = await import('../login/agents/take-over.ts');
  const agent = agentOf(provider);
  if (agent === undefined) return false;
  if (await takeOver(context, client, { agent, options, machine: await machineOf(context) })) return true;
  if (definition?.capture === undefined) return false;
  throw noSignIn(agent);
}

/** Follows a sign-in that another process started. */
export async function follow(context: CommandContext, id: string, interrupted: AbortSignal): Promise<void> {
  const client = await context.client();
  const session = await client.authSession(id);
  if (context.terminal.json && session.status === 'waiting')
    context.terminal.document(waitingDocument(session));
  const ended = await followSession(client, session, { changed: () => {}, signal: interrupted });
  concludeLater(context, ended);
}

/** As `conclude`, with what came after the sign-in was connected. */
function concludeLater(context: CommandContext, session: AuthSessionDocument): void {
  const warnings = session.warnings.filter(({ error }) => error === 'OpenedElsewhere');
  if (!context.terminal.json && session.status === 'connected')
    announceWarnings(context, { ...session, warnings }, 0);
  conclude(context, session);
}

/** Prints the status of a sign-in, without waiting. */
async function printStatus(context: CommandContext, id: string): Promise<void> {
  const { terminal } = context;
  const session = await (await context.client()).authSession(id);
  if (session.status !== 'waiting') concludeLater(context, session);
  else if (terminal.json) terminal.document(waitingDocument(session));
  else {
    terminal.print(`waiting for ${session.display_name}`);
    announceUrl(context, session);
  }
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
      'a name from `authsome list --all`, or the URL of a service; default: the last provider',
    )
    .option('--connection <name>', 'the name of the connection, if you have several; default: default')
    .option('--flow <flow>', 'pkce, dcr_pkce, device_code, api_key or client_credentials')
    .option('--scopes <a,b>', 'request these scopes instead of the usual ones', splitScopes)
    .option('--base-url <url>', 'the address of a self-hosted service')
    .option('--force', 'replace an existing connection of that name', false)
    .option(
      '-y, --yes',
      'read the variables that a definition of your own names; take over a program’s sign-in',
      false,
    )
    .option('--no-browser', 'do not open a browser; the address is always printed')
    .option('--wait <session>', 'wait for the end of a sign-in that another process started')
    .option('--status <session>', 'show the status of a sign-in')
    .action((provider: string | undefined, options: ParsedOptions) =>
      finish(act(context, provider, options)),
    );
  addExamples(command, [
    ['authsome login github', 'in the browser'],
    ['authsome login github --connection work --scopes repo,read:org', ''],
    ['authsome login github --flow device_code', 'with a code on another device'],
    ['pass openai | authsome login openai', 'with a key from a pipe'],
    ['authsome login linear --json', 'for agents: prints the URL and the session at once'],
  ]);
};

async function act(
  context: CommandContext,
  provider: string | undefined,
  options: ParsedOptions,
): Promise<void> {
  const { wait, status, ...rest } = options;
  if (status !== undefined) return printStatus(context, status);
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
      writeRedirectFile: (name, target) =>
        writeRedirectFile(context.settings().home, name, target, context.now()),
    },
  );
}

/** What to sign in to when no provider is named: the last sign-in that was not finished. */
async function unfinished(context: CommandContext): Promise<Omit<LoginOptions, 'force' | 'browser' | 'yes'>> {
  const client = await context.client();
  try {
    const { provider, connection, flow, requested_scopes, base_url } = await client.authSession('last');
    context.terminal.note(`Signing in to ${provider}/${connection} again.`);
    const baseUrl = base_url === null ? {} : { baseUrl: base_url };
    return { provider, connection, flow, scopes: requested_scopes, ...baseUrl };
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'SessionNotFound') throw error;
    throw new AuthsomeError('Usage', 'login needs a provider', {
      hint: 'For example: authsome login github. See all: authsome list --all',
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
