import type { ScanDocument } from '../../client/index.ts';
import { AuthsomeError, exitCodeOf } from '../../errors.ts';
import type { BackupKey, PlannedImport } from '../../scan/index.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { failureText } from '../failure.ts';
import { addExamples } from '../help-text.ts';
import { openBackups } from '../scan/backups.ts';
import { hostsOf, importFindings } from '../scan/import.ts';
import { foundOf, placeOf, showFindings, shownPlace, showSkipped } from '../scan/report.ts';
import { type RewriteOutcome, rewriteFiles } from '../scan/rewrite.ts';
import { search } from '../scan/search.ts';
import { undoRewrites } from '../scan/undo.ts';
import type { Terminal } from '../terminal.ts';

export interface ScanOptions {
  /** Files and directories; empty for `directory`. */
  readonly paths: readonly string[];
  readonly directory: string;
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
  const moved = options.import
    ? await importFindings(await context.client(), result.findings, {
        force: options.force,
        isAllowed: (planned) => isAllowed(context, options, planned),
      })
    : undefined;
  const findings = moved?.findings ?? result.findings;
  // Before anything else can fail: report what has been imported.
  if (!terminal.json) {
    show(context, findings.length, () => showFindings(terminal, findings));
    for (const { provider, connection, variable, ...place } of moved?.imported ?? []) {
      terminal.note(`Imported ${provider}/${connection} from ${variable} (${shownPlace(place)})`);
    }
    showSkipped(terminal, moved?.skipped ?? []);
  }
  const rewriting = options.rewrite
    ? rewriteFiles({ ...result, findings, ...(await backupsOf(context)) })
    : undefined;
  if (terminal.json) {
    const document: ScanDocument = {
      v: 1,
      found: foundOf(findings),
      ...(moved === undefined ? {} : { imported: moved.imported, left: moved.skipped }),
      ...(rewriting === undefined
        ? {}
        : { rewritten: rewriting.rewritten, not_rewritten: rewriting.failures.map(failureEntry) }),
    };
    terminal.document(document);
  } else {
    if (rewriting !== undefined) showRewriting(terminal, rewriting);
    suggestNext(context, options, foundOf(findings));
  }
  const [failed] = rewriting?.failures ?? [];
  return moved?.exitCode || (failed === undefined ? 0 : exitCodeOf(failed.error.code));
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

function showRewriting(terminal: Terminal, { rewritten, failures }: RewriteOutcome): void {
  for (const { file, values } of rewritten) {
    const what = values === 1 ? 'one value' : `${values} values`;
    terminal.note(`Rewrote ${file}: ${what} replaced. Undo with: authsome scan --undo`);
  }
  for (const { error } of failures) terminal.warn(failureText(terminal, error));
  if (rewritten.length + failures.length === 0) {
    terminal.note('Nothing to rewrite: no file contains a secret from the vault.');
  }
}

function show({ terminal }: CommandContext, count: number, table: () => void): void {
  if (count > 0) table();
  else terminal.note('No keys found.');
}

function suggestNext({ terminal }: CommandContext, options: ScanOptions, found: ScanDocument['found']): void {
  const isAbsent = found.some(({ in_vault }) => in_vault === 'absent');
  const isInFile = found.some(({ in_vault, file }) => in_vault === 'same' && file !== null);
  if (isAbsent && !options.import) terminal.note('Move them into the vault: authsome scan --import');
  else if (isInFile && !options.rewrite) {
    terminal.note('Replace keys that are in the vault with phantoms: authsome scan --rewrite');
  }
}

async function undo(context: CommandContext, options: ScanOptions): Promise<void> {
  const { terminal } = context;
  const { isInsideRun } = await import('../../client/index.ts');
  if (await isInsideRun(context.environment, context.settings().home))
    await (await context.client()).askToRestore();
  const restored = undoRewrites({ ...options, ...(await backupsOf(context)) });
  if (terminal.json) terminal.document({ v: 1, restored });
  else for (const file of restored) terminal.note(`Restored ${file}`);
}

async function backupsOf(context: CommandContext) {
  const { settings, identity, randomBytes, now } = await context.daemon();
  const key: BackupKey = {
    did: identity.did,
    secret: identity.privateKey.export({ format: 'der', type: 'pkcs8' }),
  };
  return { backups: openBackups(settings.home, randomBytes), key, randomBytes, now };
}

function rejectConflictingOptions({ undo: isUndo, import: isImport, rewrite, force }: ScanOptions): void {
  if (isUndo && (isImport || rewrite)) {
    throw new AuthsomeError('Usage', '--undo cannot be combined with --import or --rewrite', {
      hint: 'Run: authsome scan --undo',
    });
  }
  if (force && !isImport && !isUndo) {
    throw new AuthsomeError('Usage', '--force needs --import or --undo', {
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
    .argument('[paths...]', 'files and directories; default: the .env* files in this directory')
    .option('--import', 'move keys that are not in the vault into it, as connections', false)
    .option('--rewrite', 'replace keys that are in the vault with phantoms, in the files', false)
    .option('--undo', 'restore files that --rewrite changed', false)
    .option(
      '--force',
      'with --import, replace a different key in the vault; with --undo, restore a file that was changed since',
      false,
    )
    .option('-y, --yes', 'with --import, let definitions of your own take keys, too', false)
    .action((paths: readonly string[], options: Omit<ScanOptions, 'paths' | 'directory'>) =>
      finish(scan(context, { ...options, paths, directory: currentDirectory() })),
    );
  addExamples(command, [
    ['authsome scan', 'the keys in this directory and in the environment'],
    ['authsome scan ~/.bashrc services/api', 'a shell profile, and the .env* files of a directory'],
    ['authsome scan --import --rewrite', 'move the keys into the vault, and out of the files'],
    ['authsome scan --undo', 'restore the files'],
  ]);
};
