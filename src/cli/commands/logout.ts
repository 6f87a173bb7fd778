import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { atProvider } from '../output/at-provider.ts';

export interface LogoutOptions {
  readonly provider: string;
  readonly connection?: string;
}

/** Forgets one connection, telling the provider where it takes tokens back. The client stays (`revoke` clears it). */
export async function logout(
  context: CommandContext,
  { provider, connection }: LogoutOptions,
): Promise<void> {
  const client = await context.client();
  const document = await client.logout(provider, connection === undefined ? {} : { connection });
  if (context.terminal.json) context.terminal.document(document);
  else {
    const { provider: name, connection: which, remote } = document;
    context.terminal.note(`${name}/${which}: ${atProvider[remote]}.`);
  }
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'whose connection')
    .option('--connection <name>', 'which one, if not the default')
    .action((provider: string, options: { connection?: string }) =>
      finish(logout(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome logout github', ''],
    ['authsome logout github --connection work', ''],
  ]);
};
