import { join } from 'node:path';
import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import { parseKey } from './key-text.ts';
import type { Keychain } from './keychain.ts';
import { keyBytes, type RandomBytes } from './seal.ts';

export interface MasterKeyOptions {
  /** AUTHSOME_MASTER_KEY: base64. */
  readonly masterKey: string | undefined;
  /** AUTHSOME_MASTER_KEY_FILE: path of a private file with base64. */
  readonly masterKeyFile: string | undefined;
  readonly serverDirectory: string;
  /** If so, a key is looked for and never made. */
  readonly vaultExists: boolean;
  /** Whether a key is the vault's: of two stored keys, the one in use. Without it any key is. */
  readonly opensVault?: (key: Uint8Array) => boolean;
  /** Opens what a passphrase has wrapped; `undefined` where there is no passphrase. */
  readonly fromPassphrase?: (() => Promise<Uint8Array>) | undefined;
  readonly keychain: Keychain | undefined;
  readonly randomBytes: RandomBytes;
}

export type MasterKeySource = 'env' | 'env_file' | 'keychain' | 'file' | 'passphrase';

export interface MasterKey {
  readonly key: Uint8Array;
  readonly source: MasterKeySource;
}

type KeychainAnswer =
  | { readonly state: 'found'; readonly key: Uint8Array }
  | { readonly state: 'empty' }
  | { readonly state: 'unavailable' };

/**
 * The master key from the first source that has one: the environment, the file that it names, the keychain,
 * `server/master.key`, and then what a passphrase opens. With none, and no vault yet, a new key in the keychain or else in that file. Throws
 * `WrongMasterKey` when a vault exists and its key is nowhere.
 */
export async function resolveMasterKey(options: MasterKeyOptions): Promise<MasterKey> {
  const { masterKey, masterKeyFile, serverDirectory, vaultExists, keychain } = options;
  if (masterKey !== undefined) return { key: parseKey(masterKey, 'AUTHSOME_MASTER_KEY'), source: 'env' };
  if (masterKeyFile !== undefined) return { key: namedFileKey(masterKeyFile), source: 'env_file' };

  const path = join(serverDirectory, 'master.key');
  const answer = await readKeychain(keychain);
  const opensVault = options.opensVault ?? (() => true);
  if (answer.state === 'found' && opensVault(answer.key)) return { key: answer.key, source: 'keychain' };
  const fileKey = readKeyFile(path);
  const { fromPassphrase } = options;
  if (fileKey !== undefined && (fromPassphrase === undefined || opensVault(fileKey))) {
    return { key: fileKey, source: 'file' };
  }
  if (fromPassphrase !== undefined) return { key: await fromPassphrase(), source: 'passphrase' };
  // It is not this vault's: opening the vault reports that.
  if (answer.state === 'found') return { key: answer.key, source: 'keychain' };
  if (vaultExists) throw lostKey(answer, keychain, path);
  return newKey(options, answer, path);
}

async function readKeychain(keychain: Keychain | undefined): Promise<KeychainAnswer> {
  if (keychain === undefined) return { state: 'unavailable' };
  try {
    const key = await keychain.read();
    return key === undefined ? { state: 'empty' } : { state: 'found', key };
  } catch (error) {
    if (error instanceof AuthsomeError) throw error;
    return { state: 'unavailable' };
  }
}

async function newKey(options: MasterKeyOptions, answer: KeychainAnswer, path: string): Promise<MasterKey> {
  const key = options.randomBytes(keyBytes);
  if (answer.state === 'empty' && options.keychain !== undefined) {
    try {
      await options.keychain.store(key);
      return { key, source: 'keychain' };
    } catch {
      // This keychain reads but does not write (it is locked, say), so the file is next. The file gets another key,
      // since the keychain may still store this one later.
    }
  }
  const fileKey = createKeyFile(path, options.randomBytes(keyBytes));
  return { key: fileKey, source: 'file' };
}

function namedFileKey(path: string): Uint8Array {
  const key = readKeyFile(path);
  if (key !== undefined) return key;
  throw new AuthsomeError(
    'WrongMasterKey',
    `AUTHSOME_MASTER_KEY_FILE names a file that does not exist: ${path}`,
    {
      hint: `For a new vault, make one with: (umask 077; openssl rand -base64 32 > ${shellWord(path)}). Or unset the variable.`,
    },
  );
}

function lostKey(answer: KeychainAnswer, keychain: Keychain | undefined, path: string): AuthsomeError {
  if (answer.state === 'unavailable' && keychain !== undefined) {
    return new AuthsomeError(
      'WrongMasterKey',
      `the vault exists, but its master key is unavailable: the keychain did not respond and ${path} does not exist`,
      {
        hint: `Unlock the keychain (entry ${keychain.entry}) and run the command again, or set AUTHSOME_MASTER_KEY.`,
      },
    );
  }
  return new AuthsomeError(
    'WrongMasterKey',
    `the vault exists, but its master key is missing from the keychain and from ${path}`,
    {
      hint: 'Set AUTHSOME_MASTER_KEY, or restore server/master.key. If the home was moved, the keychain entry has its old path.',
    },
  );
}
