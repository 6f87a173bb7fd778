import { readFile } from 'node:fs/promises';
import type { RegisterRequest } from '../../client/index.ts';
import { AuthsomeError, systemReason } from '../../errors.ts';
import { withoutComments } from '../../json.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { unknownFieldLines } from '../output/unknown-fields.ts';

/** The daemon does not read more, either. */
const largestDefinition = 256 * 1024;

export interface RegisterOptions {
  /** A file, or an https URL. */
  readonly source: string;
  readonly force: boolean;
  readonly readText: (file: string) => Promise<string>;
}

export async function register(context: CommandContext, options: RegisterOptions): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.registerProvider(await registerRequest(options));
  if (terminal.json) terminal.document(document);
  else
    terminal.note(
      `Registered ${String(document.name)}. Sign in with: authsome login ${String(document.name)}`,
    );
  for (const line of unknownFieldLines(document)) terminal.warn(line);
}

async function registerRequest({ source, force, readText }: RegisterOptions): Promise<RegisterRequest> {
  if (/^https?:\/\//i.test(source)) return { url: source, force };
  let text: string;
  try {
    text = await readText(source);
  } catch (error) {
    throw new AuthsomeError('Usage', `cannot read ${source}: ${systemReason(error)}`, {
      hint: 'Name a JSON file, or the https URL of one. See: authsome help custom-providers',
      cause: error,
    });
  }
  if (text.length > largestDefinition) {
    throw new AuthsomeError('InvalidDefinition', `${source} is larger than ${largestDefinition} bytes`);
  }
  try {
    return { definition: JSON.parse(withoutComments(text)) as unknown, force };
  } catch (error) {
    throw new AuthsomeError('InvalidDefinition', `${source} is not JSON${placeOf(error, text)}`, {
      cause: error,
    });
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
    .action((source: string, { force }: { force: boolean }) =>
      finish(register(context, { source, force, readText: (file) => readFile(file, 'utf8') })),
    );
  addExamples(command, [
    ['authsome register ./acme.json', ''],
    ['authsome register https://acme.example/authsome.json --force', ''],
  ]);
};
