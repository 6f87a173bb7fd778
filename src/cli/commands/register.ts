import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { RegisterRequest } from '../../client/index.ts';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError, systemReason } from '../../errors.ts';
import { isDeeperThan, withoutComments } from '../../json.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { asksLines } from '../output/asks.ts';
import { unknownFieldLines } from '../output/unknown-fields.ts';

/** The daemon does not read more, either. */
const largestDefinition = 256 * 1024;

/** The daemon takes no more, either; writing a request much deeper would overflow. */
const deepestSent = 32;

export interface RegisterOptions {
  /** A file, or an https URL. */
  readonly source: string;
  readonly force: boolean;
  /** Without a question. */
  readonly yes: boolean;
  readonly allowLoopback: boolean;
}

/**
 * Stores a definition after the person has seen what it asks for. Throws `Cancelled` after a no, and
 * `Usage` where nobody can be asked and `yes` is not set. Then nothing is stored.
 */
export async function register(context: CommandContext, options: RegisterOptions): Promise<void> {
  try {
    await askAndStore(context, options);
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'ProviderExists') throw error;
    const hint = `Replace it with: ${commandOf({ ...options, force: true })}`;
    throw new AuthsomeError('ProviderExists', error.message, { hint, cause: error });
  }
}

async function askAndStore(context: CommandContext, options: RegisterOptions): Promise<void> {
  const { terminal } = context;
  const request = await registerRequest(options);
  const digest = options.yes ? undefined : await reviewed(context, options, request);
  const client = await context.client();
  const document = await client.registerProvider(digest === undefined ? request : { ...request, digest });
  if (terminal.json) terminal.document(document);
  else {
    if (options.yes) for (const line of asksLines(document)) terminal.note(line);
    terminal.note(
      `Registered ${String(document.name)}. Sign in with: authsome login ${String(document.name)}`,
    );
  }
  for (const line of unknownFieldLines(document)) terminal.warn(line);
}

/** The digest of what the person said yes to. */
async function reviewed(
  { terminal, questions, client }: CommandContext,
  options: RegisterOptions,
  request: RegisterRequest,
): Promise<string> {
  const review = await (await client()).reviewProvider(request);
  if (!terminal.json) for (const line of asksLines(review)) terminal.warn(line);
  if (questions === undefined) {
    throw new AuthsomeError('Usage', `${String(review.name)} needs your yes to be registered`, {
      hint: `Read what it asks for, then run: ${commandOf({ ...options, yes: true })}`,
    });
  }
  if (!(await questions.confirm('Register it?'))) {
    throw new AuthsomeError('Cancelled', `${String(review.name)} was not registered`);
  }
  return review.digest;
}

/** The same command with these options, to copy. */
function commandOf({ source, force, allowLoopback, yes }: RegisterOptions): string {
  const flags = { '--force': force, '--allow-loopback': allowLoopback, '--yes': yes };
  const given = Object.entries(flags).flatMap(([flag, isGiven]) => (isGiven ? [flag] : []));
  return ['authsome register', shellWord(source), ...given].join(' ');
}

async function registerRequest(options: RegisterOptions): Promise<RegisterRequest> {
  const { source } = options;
  const how = { force: options.force, ...(options.allowLoopback ? { allow_loopback: true } : {}) };
  if (/^https?:\/\//i.test(source)) return { url: source, ...how };
  const text = await readDefinition(source);
  try {
    const definition = JSON.parse(withoutComments(text)) as unknown;
    if (!isDeeperThan(definition, deepestSent)) return { definition, ...how };
  } catch (error) {
    throw new AuthsomeError('InvalidDefinition', `${source} is not JSON${placeOf(error, text)}`, {
      cause: error,
    });
  }
  throw new AuthsomeError('InvalidDefinition', '/: must not be nested more than 32 deep');
}

/** A pipe could keep the command waiting for ever, and a device never end. */
async function readDefinition(path: string): Promise<string> {
  const hint = 'Name a JSON file, or the https URL of one. See: authsome help custom-providers';
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) {
        const what = stats.isDirectory() ? 'it is a directory' : 'it is not a regular file';
        throw new AuthsomeError('Usage', `cannot read ${path}: ${what}`, { hint });
      }
      if (stats.size > largestDefinition) {
        throw new AuthsomeError('InvalidDefinition', `${path} is larger than ${largestDefinition} bytes`);
      }
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof AuthsomeError) throw error;
    throw new AuthsomeError('Usage', `cannot read ${path}: ${systemReason(error)}`, { hint, cause: error });
  }
}

/** ` (line 3, column 7)`, where the parser says it. Never a piece of the text: that may be a client's secret. */
function placeOf(error: unknown, text: string): string {
  const position = / at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`;
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<file|url>', 'a JSON file with a provider definition, or its https URL')
    .option('--force', 'replace a definition of that name', false)
    .option('-y, --yes', 'register it without a question', false)
    .option('--allow-loopback', 'let a definition from a file name addresses of this machine', false)
    .action((source: string, options: Omit<RegisterOptions, 'source'>) =>
      finish(register(context, { source, ...options })),
    );
  addExamples(command, [
    ['authsome register ./acme.json', 'shows what it asks for, and asks'],
    ['authsome register https://acme.example/authsome.json --force', 'shows what changes'],
    ['authsome register ./acme.json --yes', 'in a script'],
  ]);
};
