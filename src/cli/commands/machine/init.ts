import type { CommandModule } from '../../command-table.ts';
import type { CommandContext } from '../../context.ts';
import { addExamples } from '../../help-text.ts';

/** Creates the home, the identity and the vault, and starts the daemon. A first `login` does the same. */
export async function init(context: CommandContext): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.whoami();
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  terminal.note(`Ready: ${document.identity} owns the vault in ${document.home}.`);
  if (document.key_source === 'file') {
    terminal.note('The key of the vault lies beside it. To lock it with a passphrase instead:');
    terminal.note('  authsome vault passphrase set');
  }
  terminal.note('Next:');
  terminal.note('  authsome login github      sign in once');
  terminal.note('  authsome run -- claude     then run any agent, script or tool');
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command.action(() => finish(init(context)));
  addExamples(command, [['authsome init', '']]);
};
