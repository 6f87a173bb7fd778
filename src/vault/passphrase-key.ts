import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import { readPrivateFile } from '../private-files/index.ts';
import type { KeyWrappingRow } from '../storage/index.ts';
import { openWithPassphrase } from './passphrase-wrapping.ts';

/** Where a passphrase may come from. */
export interface PassphraseSources {
  /** What a person typed for this process. */
  readonly typed: string | undefined;
  /** AUTHSOME_PASSPHRASE_FILE: path of a private file. */
  readonly file: string | undefined;
}

/** Opens the wrapping of a master key, once for all vaults. */
export interface PassphraseKey {
  /** Throws `PassphraseNeeded`, `WrongPassphrase`, and what keeps the file from being read. */
  open(row: KeyWrappingRow): Promise<Uint8Array>;
  /** Keeps the key that a new passphrase has just wrapped: from now on nothing else may have it. */
  hold(masterKey: Uint8Array): void;
}

/** A passphrase that is asked for when a wrapping must be opened, and kept no longer than that takes. */
export function passphraseKey(sources: PassphraseSources): PassphraseKey {
  let { typed } = sources;
  let opened: Promise<Uint8Array> | undefined;
  const open = async (row: KeyWrappingRow): Promise<Uint8Array> => {
    const text = typed;
    typed = undefined;
    if (text !== undefined) return await openWithPassphrase(row, text);
    if (sources.file === undefined) throw passphraseNeeded();
    return await openWithFile(row, sources.file);
  };
  return {
    open(row) {
      // The master key stays the same when the passphrase changes.
      opened ??= open(row);
      opened.catch(() => {
        opened = undefined;
      });
      return opened;
    },
    hold(masterKey) {
      opened = Promise.resolve(masterKey);
    },
  };
}

/** The passphrase in a private file; one line end at its end does not count. Throws `WrongPassphrase` without a file. */
export function readPassphraseFile(path: string): string {
  const text = readPrivateFile(path, 'anybody');
  if (text !== undefined) return text.replace(/\r?\n$/, '');
  throw new AuthsomeError('WrongPassphrase', `there is no file with a passphrase at ${path}`, {
    hint: `Write it there, readable by nobody else: (umask 077; cat > ${shellWord(path)})\nOr unset AUTHSOME_PASSPHRASE_FILE.`,
  });
}

async function openWithFile(row: KeyWrappingRow, path: string): Promise<Uint8Array> {
  try {
    return await openWithPassphrase(row, readPassphraseFile(path));
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'WrongPassphrase') throw error;
    if (error.hint !== undefined) throw error;
    throw new AuthsomeError(error.code, `the passphrase in ${path} does not open this vault`, {
      hint: 'Correct the file, or unset AUTHSOME_PASSPHRASE_FILE and type the passphrase: authsome daemon start',
    });
  }
}

function passphraseNeeded(): AuthsomeError {
  return new AuthsomeError('PassphraseNeeded', 'the vault is locked with a passphrase', {
    hint: 'On a terminal, run: authsome daemon start\nElsewhere, name a file of mode 0600 that contains it: AUTHSOME_PASSPHRASE_FILE',
  });
}
