import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';

export interface InspectOptions {
  readonly provider: string;
  readonly baseUrl?: string;
}

/** The definition as resolved: JSON either way, since that is what a definition is. */
export async function inspect(context: CommandContext, { provider, baseUrl }: InspectOptions): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.inspectProvider(provider, baseUrl === undefined ? {} : { baseUrl });
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  const { v: _, ...shown } = document;
  terminal.print(JSON.stringify(shown, undefined, 2));
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'which provider')
    .option('--base-url <url>', 'for a service that runs at many addresses')
    .action((provider: string, options: { baseUrl?: string }) =>
      finish(inspect(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome inspect github', ''],
    ['authsome inspect gitlab --base-url https://git.example.com', ''],
  ]);
};
