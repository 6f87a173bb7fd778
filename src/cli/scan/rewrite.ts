import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ScanDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import {
  type BackupKey,
  type Finding,
  type Replacement,
  replaceValues,
  sealBackup,
} from '../../scan/index.ts';
import type { Backups } from './backups.ts';
import { replaceSourceFile } from './file-replacement.ts';
import type { SourceFile } from './source-file.ts';

export interface RewriteOptions {
  readonly findings: readonly Finding[];
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly phantoms: ReadonlyMap<string, string>;
  readonly backups: Backups;
  readonly key: BackupKey;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

export interface RewriteOutcome {
  readonly rewritten: NonNullable<ScanDocument['rewritten']>;
  /** Files that are as they were. */
  readonly failures: readonly { readonly file: string; readonly error: AuthsomeError }[];
}

/**
 * Replaces keys that are in the vault with phantoms, file by file, each backed up first. A file that cannot be rewritten
 * does not stop the others.
 */
export function rewriteFiles(options: RewriteOptions): RewriteOutcome {
  const { findings, files } = options;
  const rewritten: { readonly file: string; readonly values: number }[] = [];
  const failures: { readonly file: string; readonly error: AuthsomeError }[] = [];
  for (const [shown, file] of files) {
    const replacements = findings.flatMap((finding): readonly Replacement[] => {
      const { place, provider, inVault } = finding;
      if (inVault !== 'same' || place?.file !== shown) return [];
      const value = options.phantoms.get(provider.provider);
      if (value === undefined) throw new TypeError('a provider without a phantom');
      return [{ assignment: place.assignment, value }];
    });
    if (replacements.length === 0) continue;
    try {
      rewriteFile(file, replacements, options);
      rewritten.push({ file: shown, values: replacements.length });
    } catch (error) {
      if (!(error instanceof AuthsomeError)) throw error;
      failures.push({ file: shown, error });
    }
  }
  return { rewritten, failures };
}

function rewriteFile(file: SourceFile, replacements: readonly Replacement[], options: RewriteOptions): void {
  const { backups, key, randomBytes } = options;
  const rewritten = Buffer.from(replaceValues(file.text, replacements));
  const about = {
    file: canonicalPath(file.path),
    at: new Date(options.now()).toISOString(),
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
