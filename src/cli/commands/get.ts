import type { ConnectionDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { closest } from '../../suggestion.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatPairs } from '../output/pairs.ts';
import { remedyFor } from '../output/remedy.ts';
import { unapprovedNote } from '../output/unapproved-hosts.ts';

export interface GetOptions {
  readonly provider: string;
  readonly connection?: string;
  readonly field?: string;
  readonly showSecret: boolean;
}

/** One connection, or the bare value of one of its fields. A list has one line for each value. */
export async function get(context: CommandContext, options: GetOptions): Promise<void> {
  const { terminal } = context;
  const { connection, showSecret, field } = options;
  const client = await context.client();
  const document = await client.connection(options.provider, {
    ...(connection === undefined ? {} : { connection }),
    showSecret,
  });
  if (field !== undefined) {
    const value = fieldOf(document, field);
    if (terminal.json) terminal.document({ v: 1, [field]: value });
    else for (const line of linesOf(value)) terminal.data(line);
    return;
  }
  if (terminal.json) {
    terminal.document(document);
    return;
  }
  const { v: _, sign_in_again: __, ...shown } = document;
  const pairs = Object.entries(shown).map(([name, value]) => [name, linesOf(value).join(', ')] as const);
  terminal.print(formatPairs(pairs, terminal.style));
  const remedy = remedyFor(document);
  if (remedy !== undefined) terminal.note(remedy);
  const { unapproved_hosts = [] } = document;
  if (unapproved_hosts.length > 0) terminal.note(unapprovedNote(document, unapproved_hosts));
}

const secretFields = ['access_token', 'refresh_token', 'api_key'];

function fieldOf(document: ConnectionDocument, field: string): unknown {
  const fields = Object.keys(document).filter((name) => name !== 'v');
  if (fields.includes(field)) return document[field as keyof ConnectionDocument];
  if (secretFields.includes(field) && document.status !== 'connected') {
    const { provider, connection, status } = document;
    throw new AuthsomeError(
      'CredentialMissing',
      `${provider}/${connection} is ${status}: it has no ${field}`,
      {
        hint: `Sign in again with: ${document.sign_in_again}`,
      },
    );
  }
  const near = closest(field, fields);
  throw new AuthsomeError('Usage', `no field "${field}"`, {
    hint: `${near === undefined ? '' : `Did you mean ${near}? `}Fields: ${fields.join(', ')}`,
  });
}

function linesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return [value === null || value === undefined ? '' : String(value)];
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('<provider>', 'the provider of the connection')
    .option('--connection <name>', 'which connection, if not the default')
    .option('--field <field>', 'print the bare value of one field')
    .option('--show-secret', 'print secrets in plain text; the audit trail records it', false)
    .action((provider: string, options: Omit<GetOptions, 'provider'>) =>
      finish(get(context, { provider, ...options })),
    );
  addExamples(command, [
    ['authsome get github', ''],
    ['authsome get github --field scopes', 'the granted scopes, one per line'],
    ['authsome get github --connection work --json', ''],
  ]);
};
