import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';

export interface SetDefaultOptions {
  readonly provider: string;
  readonly connection: string;
}

/** Makes `connection` the one that is used when none is named. */
export async function setDefault(context: CommandContext, options: SetDefaultOptions): Promise<void> {
  const client = await context.client();
  const document = await client.setDefault(options.provider, options.connection);
  if (context.terminal.json) context.terminal.document(document);
  else context.terminal.note(`${document.provider} now defaults to ${document.connection}.`);
}

export const build: CommandModule['build'] = (command, context, finish) => {
  const choose = command
    .command('set-default')
    .description('choose the connection that is used when none is named')
    .argument('<provider>', 'the provider of the connection')
    .argument('<connection>', 'the name of the connection')
    .action((provider: string, connection: string) => finish(setDefault(context, { provider, connection })));
  addExamples(choose, [['authsome connections set-default github work', '']]);
  addExamples(command, [['authsome connections set-default github work', '']]);
};
