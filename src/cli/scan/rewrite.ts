import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ScanDocument, ScanRewrite } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import {
  type BackupKey,
  type Finding,
  isReplaced,
  type Replacement,
  replaceValues,
  sealBackup,
} from '../../scan/index.ts';
import { type Backups, setsIn } from './backups.ts';
import { replaceSourceFile } from './file-replacement.ts';
import type { SourceFile } from './source-file.ts';

export interface RewriteOptions {
  readonly findings: readonly Finding[];
  readonly files: ReadonlyMap<string, SourceFile>;
  /** What to write in place of a secret that the vault has. */
  readonly phantomFor: (finding: Finding) => string;
  readonly backups: Backups;
  readonly key: BackupKey;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** One rewrite: everything that one undo restores. */
interface RewriteSet {
  readonly id: string;
  /** Later than that of the one before, whatever the clock says: rewrites are undone in this order. */
  readonly at: string;
}

export interface RewriteOutcome {
  readonly rewritten: NonNullable<ScanDocument['rewritten']>;
  /** `undefined` when nothing was rewritten. */
  readonly rewrite: ScanRewrite | undefined;
  /** Files that are as they were. */
  readonly failures: readonly { readonly file: string; readonly error: AuthsomeError }[];
}

/** A new one, after all that there are. */
export function nextSet({
  backups,
  now,
  randomBytes,
}: Pick<RewriteOptions, 'backups' | 'now' | 'randomBytes'>): RewriteSet {
  const latest = setsIn(backups).at(-1);
  return {
    id: Buffer.from(randomBytes(8)).toString('hex'),
    at: new Date(Math.max(now(), Date.parse(latest?.at ?? '') + 1 || 0)).toISOString(),
  };
}

/**
 * Replaces keys that are in the vault with phantoms, file by file, each backed up first. A file that cannot be rewritten
 * does not stop the others.
 */
export function rewriteFiles(options: RewriteOptions): RewriteOutcome {
  const { findings, files } = options;
  const earlier = setsIn(options.backups);
  const set = nextSet(options);
  const rewritten: { readonly file: string; readonly values: number }[] = [];
  const failures: { readonly file: string; readonly error: AuthsomeError }[] = [];
  for (const [shown, file] of files) {
    const replacements = findings.flatMap((finding): readonly Replacement[] => {
      const { place } = finding;
      if (place?.file !== shown || !isReplaced(finding)) return [];
      return [{ assignment: place.assignment, value: options.phantomFor(finding) }];
    });
    if (replacements.length === 0) continue;
    try {
      rewriteFile({ file, replacements, set }, options);
      rewritten.push({ file: shown, values: replacements.length });
    } catch (error) {
      if (!(error instanceof AuthsomeError)) throw error;
      failures.push({ file: shown, error });
    }
  }
  const rewrite = rewritten.length === 0 ? undefined : { number: earlier.length + 1, at: set.at };
  return { rewritten, failures, rewrite };
}

function rewriteFile(
  of: { readonly file: SourceFile; readonly replacements: readonly Replacement[]; readonly set: RewriteSet },
  options: RewriteOptions,
): void {
  const { file, replacements, set } = of;
  const { backups, key, randomBytes } = options;
  const rewritten = Buffer.from(replaceValues(file.text, replacements));
  const about = {
    file: canonicalPath(file.path),
    at: set.at,
    set: set.id,
    mode: file.stats.mode & 0o7777,
  };
  const name = backups.store(sealBackup(about, { original: file.bytes, rewritten }, key, randomBytes));
  try {
    replaceSourceFile(file, rewritten, Buffer.from(randomBytes(8)).toString('hex'));
  } catch (error) {
    backups.forget(name);
    throw error;
  }
}

/** The file's canonical path, however it was named; its last part may not exist. */
export function canonicalPath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    throw new AuthsomeError('Usage', `${dirname(path)} does not exist`, { cause: error });
  }
}
