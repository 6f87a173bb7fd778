import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { atProvider } from '../output/at-provider.ts';

export interface LogoutOptions {
  readonly provider: string;
  readonly connection?: string;
}

/** Removes one connection, and revokes it where the provider supports that. The client stays (`revoke` clears it). */
export async function logout(
  context: CommandContext,
  { provider, connection }: LogoutOptions,
): Promise<void> {
  const client = await context.client();
  const document = await client.logout(provider, connection === undefined ? {} : { connection });
  if (context.terminal.json) context.terminal.document(document);
  else {
    const { provider: name, connection: which, remote, new_default: next } = document;
    context.terminal.note(`${name}/${which}: ${atProvider[remote]}.`);
    if (next !== null) context.terminal.note(`Runs use ${name}/${next} from now on.`);
  }
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'the provider of the connection')
    .option('--connection <name>', 'which connection, if not the default')
    .action((provider: string, options: { connection?: string }) =>
      finish(logout(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome logout github', ''],
    ['authsome logout github --connection work', ''],
  ]);
};
