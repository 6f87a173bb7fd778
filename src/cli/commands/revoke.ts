import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { noteRevoked } from '../output/at-provider.ts';

/** Revokes every connection of a provider, removes them from this machine, and clears its OAuth client. */
export async function revoke(context: CommandContext, provider: string): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.revokeProvider(provider);
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  if (document.connections.length === 0) terminal.note(`${document.provider} had no connections.`);
  noteRevoked(terminal, document);
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'the provider of the connections')
    .action((provider: string) => finish(revoke(context, provider)));
  addExamples(command, [['authsome revoke github', 'then: authsome login github']]);
};
