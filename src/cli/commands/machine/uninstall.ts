import type { Client, RevokeDocument } from '../../../client/index.ts';
import { askPerson } from '../../../command-line.ts';
import { AuthsomeError } from '../../../errors.ts';
import type { CommandModule } from '../../command-table.ts';
import type { CommandContext } from '../../context.ts';
import { addExamples } from '../../help-text.ts';
import { noteRevoked } from '../../output/at-provider.ts';
import { isForeignFile } from '../../uninstall/foreign-files.ts';
import { readHomeFiles, removeHomeFiles } from '../../uninstall/home-files.ts';
import { type Inventory, takeInventory } from '../../uninstall/inventory.ts';
import { inventoryText, packageLine, type Removal, uninstallDocument } from '../../uninstall/report.ts';

export interface UninstallOptions {
  /** Removes it, and revokes the connections, without a question. */
  readonly yes: boolean;
  /** Ends live runs. */
  readonly force: boolean;
  /** Does not revoke the connections. */
  readonly keepGrants: boolean;
}

/** What to do, once it is known that something is to be done. */
interface Decision {
  readonly revokes: boolean;
}

/**
 * Says what authsome has left on this machine, and removes it when told to. Throws `OperationNotAllowed` while runs are live,
 * unless forced. What fails before the daemon has ended leaves everything in place.
 */
export async function uninstall(context: CommandContext, options: UninstallOptions): Promise<void> {
  const { terminal } = context;
  const inventory = await takeInventory(context);
  const isNothing = inventory.files.files.length === 0;
  if (isNothing) terminal.note(`authsome has nothing on this machine in ${inventory.home}.`);
  else if (!terminal.json) terminal.print(inventoryText(inventory));
  const decision = isNothing ? undefined : await decide(context, inventory, options);
  const removal = decision && (await remove(context, inventory, decision));
  if (terminal.json) {
    terminal.document(uninstallDocument(context, inventory, removal));
    return;
  }
  if (removal !== undefined) {
    terminal.note(`Removed what authsome had in ${inventory.home}.`);
    if (removal.keychain) terminal.note('Removed the master key from the keychain.');
    for (const path of removal.kept) terminal.note(`Not removed: ${path}`);
  } else if (!isNothing) {
    terminal.note('Nothing was removed. To remove all of this: authsome uninstall --yes');
  }
  terminal.note(`To remove the program itself: ${packageLine(context)}`);
}

/** `undefined` when nothing is to be removed: nobody said so. */
async function decide(
  context: CommandContext,
  { daemon, problem }: Inventory,
  { yes, force, keepGrants }: UninstallOptions,
): Promise<Decision | undefined> {
  const { questions } = context;
  if (!yes && questions === undefined) return undefined;
  await requireOutsideRun(context);
  const live = daemon?.liveRuns ?? 0;
  if (live > 0 && !force) {
    const runs = live === 1 ? 'a run is live' : `${live} runs are live`;
    throw new AuthsomeError('OperationNotAllowed', `nothing was removed, since ${runs}`, {
      hint: 'End what they run first. Or end them: authsome uninstall --force',
    });
  }
  if (yes && problem !== undefined && !keepGrants) {
    throw new AuthsomeError(
      problem.code,
      `nothing was removed, since its connections cannot be revoked: ${problem.message}`,
      {
        hint: `${problem.hint ?? ''}\nOr leave their grants as they are: authsome uninstall --yes --keep-grants`.trim(),
      },
    );
  }
  const mayRevoke = (daemon?.connections.length ?? 0) > 0 && !keepGrants;
  if (yes || questions === undefined) return { revokes: mayRevoke };
  const revokes = mayRevoke && (await questions.confirm('Revoke the connections at their providers first?'));
  return (await questions.confirm('Remove all of this from this machine?')) ? { revokes } : undefined;
}

/** Not even a trusted run may do it: it would remove what it runs by. */
async function requireOutsideRun({ environment, settings }: CommandContext): Promise<void> {
  const { isInsideRun } = await import('../../../client/index.ts');
  if (!(await isInsideRun(environment, settings().home))) return;
  throw new AuthsomeError('DeniedInRun', 'not from inside a run: uninstalling authsome', {
    hint: askPerson('authsome uninstall'),
  });
}

async function remove(
  context: CommandContext,
  inventory: Inventory,
  { revokes }: Decision,
): Promise<Removal> {
  const { forgetKeychain, stopDaemon } = await import('../../../client/index.ts');
  const daemon = await context.daemon();
  const remote = revokes ? await revokeAll(context, await context.client(), inventory) : {};
  await stopDaemon(daemon, 'now');
  // Read again: the daemon has put away what it needed to run.
  const kept = removeHomeFiles(readHomeFiles(inventory.home, isForeignFile(inventory.home)));
  return { kept, remote, keychain: await forgetKeychain(daemon) };
}

/** Revokes the connections, provider by provider. What a provider cannot do is said, and keeps nothing from being removed. */
async function revokeAll(
  { terminal }: CommandContext,
  client: Client,
  { daemon }: Inventory,
): Promise<RevokeDocument['remote']> {
  const remote: Record<string, RevokeDocument['remote'][string]> = {};
  for (const provider of new Set(daemon?.connections.map((connection) => connection.provider))) {
    const document = await client.revokeProvider(provider);
    if (!terminal.json) noteRevoked(terminal, document);
    for (const [name, outcome] of Object.entries(document.remote)) remote[`${provider}/${name}`] = outcome;
  }
  return remote;
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .option('-y, --yes', 'revoke the connections and remove everything, without a question', false)
    .option('--keep-grants', 'do not revoke the connections at their providers', false)
    .option('--force', 'also end live runs', false)
    .action((options: UninstallOptions) => finish(uninstall(context, options)));
  addExamples(command, [
    ['authsome uninstall', 'what is on this machine'],
    ['authsome uninstall --yes', 'remove it'],
  ]);
};
