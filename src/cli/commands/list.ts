import type { ConnectionSummary, ListDocument } from '../../client/index.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { remedyFor } from '../output/remedy.ts';
import { safe, type Text } from '../output/safe-text.ts';
import type { Style } from '../output/style.ts';
import { formatTable } from '../output/table.ts';
import { relativeTime } from '../output/time.ts';
import { unapprovedNote } from '../output/unapproved-hosts.ts';

export interface ListOptions {
  /** Only providers whose name or title contains it. */
  readonly word?: string;
  readonly all: boolean;
}

type ListedProvider = ListDocument['providers'][number];

/** Connections first; other providers only with `--all` or a word. */
export async function list(context: CommandContext, { word, all }: ListOptions): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const document = await client.list();
  const providers = document.providers.filter((provider) => matches(provider, word));
  if (terminal.json) {
    terminal.document({ ...document, providers });
    return;
  }
  const connected = providers.filter(({ connections }) => connections.length > 0);
  const others = providers.filter(({ connections }) => connections.length === 0);
  const showOthers = all || word !== undefined;
  const { style, width } = terminal;
  if (connected.length > 0) {
    const rows = connected.flatMap((provider) =>
      provider.connections.map((connection) => connectionRow(provider, connection, style, context.now())),
    );
    const head = ['PROVIDER', 'CONNECTION', 'STATUS', 'ACCOUNT', 'EXPIRES'];
    terminal.print(formatTable(head, rows, { style, width }));
  }
  for (const { name, connections } of connected) {
    for (const connection of connections) {
      const { unapproved_hosts = [] } = connection;
      if (unapproved_hosts.length > 0)
        terminal.note(unapprovedNote({ provider: name, connection: connection.name }, unapproved_hosts));
      if (connection.status === 'expired' && connection.refreshable) continue;
      const remedy = remedyFor(connection);
      if (remedy !== undefined) {
        terminal.note(`${name}/${connection.name} is ${connection.status}. ${remedy}`);
      }
    }
  }
  if (showOthers && others.length > 0) {
    if (connected.length > 0) terminal.print('');
    const rows = others.map((provider) => [
      provider.name,
      provider.display_name,
      provider.flow,
      provider.source === 'custom' ? 'your own' : '',
    ]);
    terminal.print(formatTable(['AVAILABLE', 'TITLE', 'FLOW', ''], rows, { style, width }));
  }
  if (providers.length === 0 && word !== undefined) {
    terminal.note(`No provider matches ${word}. See all: authsome list --all`);
  } else if (connected.length === 0 && !showOthers) {
    terminal.note('No connections yet. Sign in with, for example: authsome login github');
  }
  if (!showOthers && others.length > 0) {
    terminal.note(`${others.length} more providers available: authsome list --all, or authsome list <word>`);
  }
}

function matches(provider: ListedProvider, word: string | undefined): boolean {
  const text = `${provider.name} ${provider.display_name}`.toLowerCase();
  return word === undefined || text.includes(word.toLowerCase());
}

function connectionRow(
  provider: ListedProvider,
  connection: ConnectionSummary,
  style: Style,
  nowMs: number,
): readonly Text[] {
  const mark = { connected: style.green, expired: style.yellow, invalid: style.red };
  return [
    provider.name,
    connection.is_default && provider.connections.length > 1
      ? `${connection.name} (default)`
      : connection.name,
    mark[connection.status](safe(connection.status)),
    connection.account ?? '',
    connection.expires_at === null ? '' : relativeTime(Date.parse(connection.expires_at), nowMs),
  ];
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('[word]', 'show only providers whose name contains it')
    .option('-a, --all', 'also show providers without a connection', false)
    .action((word: string | undefined, { all }: { all: boolean }) =>
      finish(list(context, word === undefined ? { all } : { word, all })),
    );
  addExamples(command, [
    ['authsome list', 'your connections'],
    ['authsome list mail', 'search the providers'],
    ['authsome list --all', ''],
  ]);
};
