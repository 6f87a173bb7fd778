import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { keySourceText } from '../output/key-source.ts';
import { formatPairs } from '../output/pairs.ts';

export async function whoami(context: CommandContext): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.whoami();
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  const { daemon, principal } = document;
  terminal.print(
    formatPairs(
      [
        ['identity', document.identity],
        ['did', document.did],
        ['principal', `${principal.id} (${principal.role})`],
        ['vault', document.vault],
        ['key source', keySourceText[document.key_source] ?? document.key_source],
        ['home', document.home],
        ['daemon', `${daemon.url} (pid ${daemon.pid}, version ${daemon.version})`],
        ['version', document.version],
      ],
      terminal.style,
    ),
  );
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command.action(() => finish(whoami(context)));
  addExamples(command, [['authsome whoami --json', '']]);
};
