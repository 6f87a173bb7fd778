import { type BackupKey, sealBackup } from '../../scan/index.ts';
import type { CommandContext } from '../context.ts';
import { type Backups, openBackups } from './backups.ts';
import { canonicalPath, nextSet } from './rewrite.ts';
import type { SourceFile } from './source-file.ts';

/** A sealed copy of a file, which `scan --undo` restores. */
export interface SealedCopy {
  /** Removes it: the file was not replaced after all. */
  forget(): void;
}

/** Keeps files as they are before they are replaced. Throws HomeNotUsable or StorageFull. */
export type Sealer = (file: SourceFile, rewritten: Uint8Array) => SealedCopy;

export interface SealerOptions {
  readonly backups: Backups;
  readonly key: BackupKey;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** As the identity of this home. */
export async function sealerOf(context: CommandContext): Promise<Sealer> {
  const { settings, identity, randomBytes, now } = await context.daemon();
  const secret = identity.privateKey.export({ format: 'der', type: 'pkcs8' });
  const backups = openBackups(settings.home, randomBytes);
  return sealerWith({ backups, key: { did: identity.did, secret }, now, randomBytes });
}

export function sealerWith({ backups, key, now, randomBytes }: SealerOptions): Sealer {
  return (file, rewritten) => {
    const { id, at } = nextSet({ backups, now, randomBytes });
    const about = { file: canonicalPath(file.path), at, set: id, mode: file.stats.mode & 0o7777 };
    const name = backups.store(sealBackup(about, { original: file.bytes, rewritten }, key, randomBytes));
    return { forget: () => backups.forget(name) };
  };
}
