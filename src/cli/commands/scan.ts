import type { ScanDocument, ScanUndoneDocument } from '../../client/index.ts';
import { shellWord } from '../../command-line.ts';
import { AuthsomeError, exitCodeOf } from '../../errors.ts';
import type { BackupKey, PlannedImport } from '../../scan/index.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { addExamples } from '../help-text.ts';
import { localTime } from '../output/time.ts';
import { openBackups } from '../scan/backups.ts';
import { hostsOf, type ImportOutcome, importFindings } from '../scan/import.ts';
import { phantomsFor } from '../scan/phantoms.ts';
import {
  foundOf,
  placeOf,
  showFindings,
  shownPlace,
  showSkipped,
  showUnclaimed,
  unclaimedOf,
} from '../scan/report.ts';
import { type RewriteOutcome, rewriteFiles } from '../scan/rewrite.ts';
import { type SearchOptions, type SearchResult, search } from '../scan/search.ts';
import { cautionsOf, startLines } from '../scan/start-line.ts';
import { undoRewrite } from '../scan/undo.ts';
import type { Terminal } from '../terminal.ts';

export interface ScanOptions extends SearchOptions {
  readonly import: boolean;
  readonly rewrite: boolean;
  readonly undo: boolean;
  readonly force: boolean;
  /** Definitions that did not come with authsome may take keys, without a question. */
  readonly yes: boolean;
}

/** Reports plaintext keys. With options, imports them into the vault and replaces them in files. */
export async function scan(context: CommandContext, options: ScanOptions): Promise<number> {
  rejectConflictingOptions(options);
  if (options.undo) {
    await undo(context, options);
    return 0;
  }
  const { terminal } = context;
  const result = await search(context, options);
  const moved = await move(context, options, result);
  const findings = moved?.findings ?? result.findings;
  const unclaimed = unclaimedOf(result.unclaimed);
  // Before anything else can fail: report what has been imported.
  if (!terminal.json) {
    show(context, findings.length + unclaimed.length, () => showFindings(terminal, findings, unclaimed));
    for (const { provider, connection, variable, ...place } of moved?.imported ?? []) {
      terminal.note(`Imported ${provider}/${connection} from ${variable} (${shownPlace(place)})`);
    }
    showSkipped(terminal, moved?.skipped ?? []);
    showUnclaimed(terminal, unclaimed.length);
  }
  const rewriting = options.rewrite
    ? rewriteFiles({
        ...result,
        findings,
        phantomFor: await phantomsFor(context, findings),
        ...(await backupsOf(context)),
      })
    : undefined;
  if (terminal.json) {
    const document: ScanDocument = {
      v: 1,
      found: foundOf(findings),
      without_provider: unclaimed,
      ...(moved === undefined ? {} : { imported: moved.imported, left: moved.skipped }),
      ...(rewriting === undefined
        ? {}
        : {
            rewrite: rewriting.rewrite ?? null,
            rewritten: rewriting.rewritten,
            not_rewritten: rewriting.failures.map(failureEntry),
          }),
    };
    terminal.document(document);
  } else if (rewriting === undefined) {
    suggestNext(context, options, foundOf(findings));
  } else {
    showRewriting(terminal, rewriting);
    for (const caution of cautionsOf(findings, rewriting)) terminal.warn(caution);
    for (const line of startLines(findings, rewriting, result.connections)) terminal.note(line);
  }
  const [failed] = rewriting?.failures ?? [];
  return moved?.exitCode || (failed === undefined ? 0 : exitCodeOf(failed.error.code));
}

/** A rewrite moves what it takes out of files; only an import also takes what is in the environment. */
async function move(
  context: CommandContext,
  options: ScanOptions,
  { findings, connections }: SearchResult,
): Promise<ImportOutcome | undefined> {
  if (!options.import && !options.rewrite) return undefined;
  const movable = options.import ? findings : findings.filter(({ place }) => place !== undefined);
  const moved = await importFindings(await context.client(), movable, {
    force: options.force,
    connections,
    isAllowed: (planned) => isAllowed(context, options, planned),
  });
  const others = findings.filter((finding) => !movable.includes(finding));
  return { ...moved, findings: [...moved.findings, ...others] };
}

/** A definition of a stranger could take any key for one of its own, and have it sent to its hosts. */
async function isAllowed(
  { questions }: CommandContext,
  { yes }: ScanOptions,
  { findings: [first, ...others] }: PlannedImport,
): Promise<boolean> {
  if (yes || questions === undefined) return yes;
  const variables = [first, ...others].map((each) => `${each.variable} (${shownPlace(placeOf(each))})`);
  const { provider } = first.provider;
  return await questions.confirm(
    `Your own definition of ${provider} takes ${[...new Set(variables)].join(', ')}, and sends it to ${hostsOf(first)}. Import it?`,
  );
}

function failureEntry({ file, error }: RewriteOutcome['failures'][number]) {
  return { file, error: error.code, message: error.message, hint: error.hint ?? null };
}

function showRewriting(terminal: Terminal, { rewritten, failures, rewrite }: RewriteOutcome): void {
  for (const { file, values } of rewritten) {
    terminal.note(`Rewrote ${file}: ${counted(values, 'value')} replaced`);
  }
  for (const { error } of failures) terminal.warn(failureText(terminal, error));
  if (rewrite !== undefined) {
    terminal.note(`This is rewrite ${rewrite.number}. Undo it with: authsome scan --undo`);
  } else if (failures.length === 0) {
    terminal.note('Nothing to rewrite: no file contains a secret from the vault.');
  }
}

function counted(count: number, what: string): string {
  return count === 1 ? `one ${what}` : `${count} ${what}s`;
}

function show({ terminal }: CommandContext, count: number, table: () => void): void {
  if (count > 0) table();
  else terminal.note('No keys found.');
}

function suggestNext({ terminal }: CommandContext, options: ScanOptions, found: ScanDocument['found']): void {
  const isNew = found.some(({ in_vault }) => in_vault !== 'same');
  const isInFile = found.some(({ in_vault, file }) => in_vault === 'same' && file !== null);
  if (isNew && !options.import) terminal.note(`Move them into the vault: ${lineFor(options)} --import`);
  else if (isInFile) {
    terminal.note(`Replace keys that are in the vault with phantoms: ${lineFor(options)} --rewrite`);
  }
}

/** The same scan as a line to paste. */
function lineFor({ machine, paths }: ScanOptions): string {
  return ['authsome scan', ...paths.map(shellWord), ...(machine ? ['--machine'] : [])].join(' ');
}

async function undo(context: CommandContext, options: ScanOptions): Promise<void> {
  const { terminal } = context;
  const { isInsideRun } = await import('../../client/index.ts');
  if (await isInsideRun(context.environment, context.settings().home))
    await (await context.client()).askToRestore();
  const { restored, failures, rewrite, left } = undoRewrite({ ...options, ...(await backupsOf(context)) });
  const [failure] = failures;
  if (terminal.json && failure === undefined) {
    const document: ScanUndoneDocument = { v: 1, restored, rewrite, left };
    terminal.document(document);
  } else {
    for (const file of restored) terminal.note(`Restored ${file}`);
  }
  if (failure !== undefined) throw failure;
  const at = localTime(rewrite.at);
  if (!terminal.json) terminal.note(`Undid rewrite ${rewrite.number} of ${at}. ${leftLine(left)}`);
}

function leftLine(left: number): string {
  if (left === 0) return 'No rewrite is left to undo.';
  return `${left === 1 ? 'One more can' : `${left} more can`} be undone: authsome scan --undo`;
}

async function backupsOf(context: CommandContext) {
  const { settings, identity, randomBytes, now } = await context.daemon();
  const key: BackupKey = {
    did: identity.did,
    secret: identity.privateKey.export({ format: 'der', type: 'pkcs8' }),
  };
  return { backups: openBackups(settings.home, randomBytes), key, randomBytes, now };
}

function rejectConflictingOptions({
  undo: isUndo,
  import: isImport,
  rewrite,
  force,
  machine,
}: ScanOptions): void {
  if (isUndo && (isImport || rewrite || machine)) {
    throw new AuthsomeError('Usage', '--undo cannot be combined with --import, --rewrite or --machine', {
      hint: 'Run: authsome scan --undo',
    });
  }
  if (force && !isImport && !isUndo && !rewrite) {
    throw new AuthsomeError('Usage', '--force needs --import, --rewrite or --undo', {
      hint: 'Run: authsome scan --help',
    });
  }
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new AuthsomeError('Usage', 'the current directory no longer exists', {
      hint: 'Change to another directory, and run the command again.',
      cause: error,
    });
  }
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('[paths...]', 'files, and directories to search; default: this directory')
    .option('--machine', 'look where tools keep credentials in your home', false)
    .option('--import', 'move keys that are not in the vault into it, each as a connection', false)
    .option('--rewrite', 'move the keys in files into the vault, and put phantoms in their place', false)
    .option('--undo', 'restore the files of the latest --rewrite', false)
    .option(
      '--force',
      'let a different key replace the one in the vault; with --undo, restore a file that was changed since',
      false,
    )
    .option('-y, --yes', 'let definitions of your own take keys, too', false)
    .action((paths: readonly string[], options: Omit<ScanOptions, 'paths' | 'directory'>) =>
      finish(scan(context, { ...options, paths, directory: currentDirectory() })),
    );
  addExamples(command, [
    ['authsome scan', 'the keys in this directory, below it, and in the environment'],
    ['authsome scan --machine', 'the keys that tools keep in your home'],
    ['authsome scan ~/.bashrc services/api', 'a shell profile, and a directory'],
    ['authsome scan --rewrite', 'move the keys into the vault, and out of the files'],
    ['authsome scan --undo', 'restore the files of the latest rewrite'],
  ]);
};
