import type { Client, InspectDocument, LoginRequest } from '../../client/index.ts';
import { signInLine } from '../../command-line.ts';
import type { CommandContext } from '../context.ts';
import { browserEnvironment } from './browser-environment.ts';
import type { Setup, SignInInteraction } from './follow-sign-in.ts';
import { cancelled } from './session.ts';
import { textIn } from './text-in.ts';

export interface LoginOptions {
  readonly provider: string;
  readonly connection?: string;
  readonly flow?: string;
  readonly scopes?: readonly string[];
  readonly baseUrl?: string;
  readonly force: boolean;
  readonly browser: boolean;
  /** A definition of the person's own may read the variables that it names. */
  readonly yes: boolean;
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

/** The request to the daemon; `variables` are the values that a person lets the definition read. */
export function loginRequest(
  options: LoginOptions,
  variables: Pick<LoginRequest, 'api_key' | 'client_id' | 'client_secret'>,
): LoginRequest {
  const { provider, connection, flow, scopes, baseUrl, force } = options;
  return {
    provider,
    force,
    ...(connection === undefined ? {} : { connection }),
    ...(flow === undefined ? {} : { flow }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(baseUrl === undefined ? {} : { base_url: baseUrl }),
    ...variables,
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
