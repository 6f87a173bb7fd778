import type { Client, InspectDocument, LoginRequest } from '../../client/index.ts';
import { signInLine } from '../../command-line.ts';
import type { CommandContext } from '../context.ts';
import { browserEnvironment } from './browser-environment.ts';
import type { Setup, SignInInteraction } from './follow-sign-in.ts';
import { cancelled } from './session.ts';

export interface LoginOptions {
  readonly provider: string;
  readonly connection?: string;
  readonly flow?: string;
  readonly scopes?: readonly string[];
  readonly baseUrl?: string;
  readonly force: boolean;
  readonly browser: boolean;
}

/** `undefined` for a URL that has yet to be discovered. */
export async function definitionOf(
  client: Client,
  options: LoginOptions,
): Promise<InspectDocument | undefined> {
  const { provider, baseUrl } = options;
  if (/^https?:\/\//i.test(provider)) return undefined;
  return client.inspectProvider(provider, baseUrl === undefined ? {} : { baseUrl });
}

/** The request to the daemon, with the values of the variables that the definition names. */
export function loginRequest(
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
  const clientId = usesKey ? undefined : fromEnvironment('client', 'client_id_env', 'client ID');
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
export async function chosenFlow(
  context: CommandContext,
  options: LoginOptions,
  definition: InspectDocument | undefined,
  { input, interrupted }: Pick<SignInInteraction, 'input' | 'interrupted'>,
): Promise<string | undefined> {
  const { terminal, environment, platform } = context;
  const { flow, browser } = options;
  const { oauth } = (definition ?? {}) as { oauth?: { supports_device_code?: unknown } };
  const hasCode = definition?.flow !== 'device_code' && oauth?.supports_device_code === true;
  if (flow !== undefined || !hasCode || !browser || terminal.json) return flow;
  const { browsers } = browserEnvironment('https://authsome.invalid', environment, platform);
  if (browsers.length > 0) return undefined;
  if (!input.isTerminal) {
    terminal.note('No browser found. To sign in with a code on another device instead, run:');
    terminal.note(`  ${signInLine({ ...options, flow: 'device_code' })}`);
    return undefined;
  }
  const question = 'No browser found. Sign in with a code on another device? [Y/n] ';
  const answer = await input.text(question, interrupted);
  if (answer === undefined) throw cancelled();
  return /^\s*n/i.test(answer) ? undefined : 'device_code';
}

export function setupIn(definition: InspectDocument | undefined): Setup {
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
