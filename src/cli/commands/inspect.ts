import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatOutline } from '../output/outline.ts';
import { unknownFieldLines } from '../output/unknown-fields.ts';

export interface InspectOptions {
  readonly provider: string;
  readonly baseUrl?: string;
}

/** The definition as resolved, and the redirect URI to register: an outline for people, JSON for programs. */
export async function inspect(context: CommandContext, { provider, baseUrl }: InspectOptions): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.inspectProvider(provider, baseUrl === undefined ? {} : { baseUrl });
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  const { v: _, unknown_fields: __, asks_for: ___, ...shown } = document;
  terminal.print(formatOutline(shown));
  for (const line of unknownFieldLines(document)) terminal.warn(line);
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'a provider from `authsome list --all`')
    .option('--base-url <url>', 'the address of a self-hosted service')
    .action((provider: string, options: { baseUrl?: string }) =>
      finish(inspect(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome inspect github', ''],
    ['authsome inspect gitlab --base-url https://git.example.com', ''],
  ]);
};
