import type { HostsDocument } from '../../client/index.ts';
import { approveHostsLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import { formatPairs } from '../output/pairs.ts';
import type { SafeText } from '../output/safe-text.ts';

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

export interface ApproveHostsOptions {
  readonly provider: string;
  readonly connection?: string;
  /** A person has looked at the hosts already. */
  readonly yes: boolean;
}

/**
 * Lets a connection's credential go to the hosts that its definition names now. Shows them first, and wants a yes. Throws
 * `Usage` where nobody can answer, and `Cancelled` for any other answer.
 */
export async function approveHosts(context: CommandContext, options: ApproveHostsOptions): Promise<void> {
  const { terminal } = context;
  const client = await context.client();
  const { provider, connection: wanted, yes } = options;
  const shown = await client.hosts(provider, wanted === undefined ? {} : { connection: wanted });
  if (shown.added.length === 0) {
    if (terminal.json) terminal.document(shown);
    else terminal.note(`${keyOf(shown)} has no host to approve.`);
    return;
  }
  if (!terminal.json) terminal.warn(hostsText(context, shown));
  if (!yes) await requireYes(context, shown);
  const { connection, after: hosts } = shown;
  const document = await client.approveHosts(provider, { connection, hosts });
  if (terminal.json) terminal.document(document);
  else terminal.note(`${keyOf(document)} may be used at: ${document.after.join(', ')}.`);
}

function hostsText({ terminal }: CommandContext, shown: HostsDocument): SafeText {
  return formatPairs(
    [
      ['connection', keyOf(shown)],
      ['before', shown.before.join(', ') || 'none'],
      ['after', shown.after.join(', ')],
      ['added', shown.added.join(', ')],
    ],
    terminal.noteStyle,
  );
}

async function requireYes({ questions }: CommandContext, shown: HostsDocument): Promise<void> {
  if (questions === undefined) {
    const hosts = shown.added.join(', ');
    throw new AuthsomeError('Usage', `${keyOf(shown)} would be used at ${hosts}: that needs your yes`, {
      hint: `Allow it with: ${approveHostsLine(shown)} --yes`,
    });
  }
  if (await questions.confirm('Send its credential to the added hosts too?')) return;
  throw new AuthsomeError('Cancelled', 'nothing was approved');
}

function keyOf({ provider, connection }: HostsDocument): string {
  return `${provider}/${connection}`;
}

/** `github`, `github/work`: the connection after the slash. */
function parts(named: string): { readonly provider: string; readonly connection?: string } {
  const slash = named.indexOf('/');
  if (slash < 0) return { provider: named };
  return { provider: named.slice(0, slash), connection: named.slice(slash + 1) };
}

export const build: CommandModule['build'] = (command, context, finish) => {
  const choose = command
    .command('set-default')
    .description('choose the connection that is used when none is named')
    .argument('<provider>', 'the provider of the connection')
    .argument('<connection>', 'the name of the connection')
    .action((provider: string, connection: string) => finish(setDefault(context, { provider, connection })));
  addExamples(choose, [['authsome connections set-default github work', '']]);
  const approve = command
    .command('approve-hosts')
    .description('let a connection be used at hosts that its definition has gained')
    .argument('<connection>', 'the connection: a provider, or provider/connection')
    .option('-y, --yes', 'approve them without a question', false)
    .action((named: string, { yes }: { yes: boolean }) =>
      finish(approveHosts(context, { ...parts(named), yes })),
    );
  addExamples(approve, [
    ['authsome connections approve-hosts acme', ''],
    ['authsome connections approve-hosts acme/work --yes', 'without a question'],
  ]);
  addExamples(command, [
    ['authsome connections set-default github work', ''],
    ['authsome connections approve-hosts acme', ''],
  ]);
};
