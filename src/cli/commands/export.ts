import { Option } from 'commander';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';

export type ExportFormat = 'env' | 'shell' | 'json';

export interface ExportOptions {
  readonly provider: string;
  readonly connection?: string;
  readonly format: ExportFormat;
}

/** Prints the secret itself, for tools that cannot run under `authsome run`. The audit trail records it. */
export async function exportSecret(context: CommandContext, options: ExportOptions): Promise<void> {
  const { terminal } = context;
  const { provider, connection } = options;
  const client = await context.client();
  const document = await client.exportConnection(provider, connection === undefined ? {} : { connection });
  if (terminal.json || options.format === 'json') {
    terminal.document(terminal.json ? document : document.variables);
    return;
  }
  for (const [name, value] of Object.entries(document.variables)) {
    terminal.data(
      options.format === 'shell' ? `export ${name}=${shellQuoted(value)}` : `${name}=${envQuoted(value)}`,
    );
  }
}

/** Quoted for a POSIX shell: between single quotes, no character is special. */
export function shellQuoted(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** Quoted for a `.env` file, but only if needed: not every reader of such files removes quotes. */
export function envQuoted(value: string): string {
  if (/^[\w@%+=:,./-]*$/.test(value)) return value;
  if (!/['\n\r]/.test(value)) return `'${value}'`;
  return `"${value
    .replace(/["\\$`]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')}"`;
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'the provider of the connection')
    .option('--connection <name>', 'which connection, if not the default')
    .addOption(
      new Option('--format <format>', 'the output format').choices(['env', 'shell', 'json']).default('env'),
    )
    .action((provider: string, options: { connection?: string; format: ExportFormat }) =>
      finish(exportSecret(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome export openai > .env', ''],
    ['eval "$(authsome export openai --format shell)"', ''],
  ]);
};
