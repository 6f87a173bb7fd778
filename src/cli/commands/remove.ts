import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';

/** Deletes a registered definition. A bundled one of the same name is used again. */
export async function remove(context: CommandContext, provider: string): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.removeProvider(provider);
  if (terminal.json) terminal.document(document);
  else if (document.outcome === 'reset')
    terminal.note(`${document.provider} is reset to the bundled definition.`);
  else terminal.note(`Removed ${document.provider}.`);
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'a provider that you registered')
    .action((provider: string) => finish(remove(context, provider)));
  addExamples(command, [['authsome remove acme', '']]);
};
