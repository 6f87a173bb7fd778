import type { Client, RemoveDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { noteRevoked } from '../output/at-provider.ts';

export interface RemoveOptions {
  readonly provider: string;
  /** Its connections go along, unasked. */
  readonly yes: boolean;
}

/**
 * Deletes a registered definition, with its connections where the person says so. A bundled definition of the same name is
 * used again.
 */
export async function remove(context: CommandContext, options: RemoveOptions): Promise<void> {
  const { terminal } = context;
  const document = await removed(context, await context.client(), options);
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  noteRevoked(terminal, document);
  terminal.note(
    document.outcome === 'reset'
      ? `${document.provider} is reset to the bundled definition.`
      : `Removed ${document.provider}.`,
  );
}

/** The daemon's response. Throws `Cancelled` when the person wants to keep the connections, and then nothing is removed. */
async function removed(
  { terminal, questions }: CommandContext,
  client: Client,
  { provider, yes }: RemoveOptions,
): Promise<RemoveDocument> {
  try {
    return await client.removeProvider(provider, { withConnections: yes });
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'ProviderInUse') throw error;
    if (questions === undefined) throw error;
    terminal.warn(`${error.message}.`);
    const question = `Remove them too, and revoke them where ${provider} supports that?`;
    if (!(await questions.confirm(question))) {
      throw new AuthsomeError('Cancelled', `${provider} was not removed`);
    }
    return await client.removeProvider(provider, { withConnections: true });
  }
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'a provider that you registered')
    .option('-y, --yes', 'remove its connections, too, without a question', false)
    .action((provider: string, { yes }: { yes: boolean }) => finish(remove(context, { provider, yes })));
  addExamples(command, [
    ['authsome remove acme', ''],
    ['authsome remove acme --yes', 'with its connections'],
  ]);
};
