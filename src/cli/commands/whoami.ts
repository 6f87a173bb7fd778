import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatPairs } from '../output/pairs.ts';

const keySources = {
  env: 'AUTHSOME_MASTER_KEY',
  env_file: 'the file in AUTHSOME_MASTER_KEY_FILE',
  keychain: 'the keychain',
  file: 'server/master.key',
} as const;

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
        ['key source', keySources[document.key_source] ?? document.key_source],
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
