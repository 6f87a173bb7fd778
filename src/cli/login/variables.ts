import type { InspectDocument, LoginRequest } from '../../client/index.ts';
import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import { bundledKeys } from '../bundled-keys.ts';
import type { CommandContext } from '../context.ts';
import { isYes } from '../questions.ts';
import type { SignInInteraction } from './follow-sign-in.ts';
import type { LoginOptions } from './request.ts';
import { cancelled } from './session.ts';
import { textIn } from './text-in.ts';

type Values = Pick<LoginRequest, 'api_key' | 'client_id' | 'client_secret'>;

/** A variable that a definition names and that is set here. */
interface Found {
  readonly key: keyof Values;
  readonly name: string;
  readonly what: string;
  readonly value: string;
}

const readable = [
  { key: 'api_key', section: 'api_key', field: 'env_var', what: 'key' },
  { key: 'client_id', section: 'client', field: 'client_id_env', what: 'client ID' },
  { key: 'client_secret', section: 'client', field: 'client_secret_env', what: 'client secret' },
] as const;

/**
 * The values of the variables that a definition names. A definition that did not come with authsome is a stranger's: it
 * could name any variable and have its value sent to a host of its own. So a person says yes to each sign-in that
 * reads one, or gives `--yes`. Throws `Usage` where nobody can be asked. See {@link variableFor} for daemons elsewhere.
 */
export async function variablesRead(
  context: CommandContext,
  options: LoginOptions,
  definition: InspectDocument | undefined,
  interaction: Pick<SignInInteraction, 'input' | 'interrupted'>,
): Promise<Values> {
  const usesKey = (options.flow ?? definition?.flow) === 'api_key';
  const { isLocal, baseUrl } = context.settings();
  if (!isLocal) return usesKey ? variableFor(context, options, baseUrl, definition) : {};
  const found = readable.flatMap(({ key, section, field, what }): readonly Found[] => {
    const name = (key === 'api_key') === usesKey ? textIn(definition, section, field) : undefined;
    const value = name === undefined ? undefined : context.environment[name];
    return name === undefined || value === undefined || value === '' ? [] : [{ key, name, what, value }];
  });
  if (found.length === 0) return {};
  const isTrusted = definition?.source === 'bundled' || options.yes;
  if (!isTrusted && !(await isConfirmed(context, options, { definition, found, ...interaction }))) return {};
  for (const { name, what } of found) context.terminal.note(`Using the ${what} in ${name}.`);
  return Object.fromEntries(found.map(({ key, value }) => [key, value]));
}

/**
 * The key for a daemon on another machine. Which variable it gets is for the definition that came with this program,
 * whatever the daemon's own one names.
 */
function variableFor(
  context: CommandContext,
  { provider }: LoginOptions,
  origin: string,
  definition: InspectDocument | undefined,
): Values {
  const { environment, terminal } = context;
  const bundled = bundledKeys(context).find(({ name }) => name === provider);
  const name = bundled?.key_variable ?? undefined;
  const value = name === undefined ? undefined : environment[name];
  if (value !== undefined && value !== '') {
    terminal.note(`Using the key in ${name}. It is sent to the daemon at ${origin}.`);
    return { api_key: value };
  }
  const asked = textIn(definition, 'api_key', 'env_var');
  if (asked !== undefined && asked !== name && (environment[asked] ?? '') !== '') {
    terminal.note(`Not using ${asked}: only the definition of the daemon at ${origin} names it.`);
  }
  return {};
}

async function isConfirmed(
  { terminal }: CommandContext,
  options: LoginOptions,
  {
    definition,
    found,
    input,
    interrupted,
  }: { readonly definition: InspectDocument | undefined; readonly found: readonly Found[] } & Pick<
    SignInInteraction,
    'input' | 'interrupted'
  >,
): Promise<boolean> {
  const names = found.map(({ name }) => name);
  const them = names.length === 1 ? 'it' : 'them';
  const sentence = `${options.provider} reads ${names.join(' and ')}, and sends ${them} to ${hostsFor(definition, names)}`;
  if (input.isTerminal && !terminal.json) {
    const answer = await input.text(`${sentence}. Use ${them}? [y/N] `, interrupted);
    if (answer === undefined) throw cancelled();
    return isYes(answer);
  }
  const again = `${signInLine(options)} --yes`;
  if (found.every(({ key }) => key === 'api_key') && input.isPipe) {
    terminal.note(`Not using ${names.join(' and ')}. To allow that, run: ${again}`);
    return false;
  }
  throw new AuthsomeError('Usage', `${sentence}: that needs your yes`, {
    hint: `Allow it with: ${again}`,
  });
}

function hostsFor(definition: InspectDocument | undefined, names: readonly string[]): string {
  const read = definition?.asks_for?.variables_read ?? [];
  const hosts = read.flatMap(({ name, sent_to }) => (names.includes(name) ? sent_to : []));
  return [...new Set(hosts)].join(', ') || 'the hosts of its definition';
}
