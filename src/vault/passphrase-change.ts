import { timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { removePrivateFile } from '../private-files/index.ts';
import type { KeyWrappingRow } from '../storage/index.ts';
import { createKeyFile, readKeyFile } from './key-file.ts';
import type { MasterKeySource } from './master-key.ts';
import type { PassphraseKey } from './passphrase-key.ts';
import { requireGoodPassphrase } from './passphrase-text.ts';
import { openWithPassphrase, wrapWithPassphrase } from './passphrase-wrapping.ts';
import { currentMasterKey, type KeyOptions } from './unlock.ts';
import { opensVaults, wrongMasterKey } from './vault-key.ts';

/** What opens the vaults now: the source that is used first, then the others. */
export type KeySources = readonly [MasterKeySource, ...MasterKeySource[]];

/**
 * Gives the vaults a passphrase, in place of an earlier one. `server/master.key` is removed once the passphrase has opened
 * its own wrapping: at each step something opens the vaults. Throws `Usage` for a passphrase that is none. Only one change
 * of the passphrase at a time.
 */
export async function setPassphrase(
  options: KeyOptions & { readonly passphrase: PassphraseKey },
  passphrase: string,
): Promise<KeySources> {
  requireGoodPassphrase(passphrase);
  const { vaults } = options.storage;
  const path = keyFilePath(options);
  // Read first: a file that cannot be read is reported before anything changes.
  const inFile = readKeyFile(path);
  const key = await vaultsKey(options);
  const row = await wrapWithPassphrase(key, passphrase, options.randomBytes);
  requireSame(await openWithPassphrase(row, passphrase), key);
  await vaults.putWrapping('passphrase', row);
  requireSameRow(await vaults.wrapping('passphrase'), row);
  options.passphrase.hold(key);
  // Another vault's key is not ours to remove.
  if (isSame(inFile, key)) removePrivateFile(path);
  return keySources(options, key);
}

/**
 * Takes the passphrase from the vaults. Where nothing else has their key, it goes to the keychain, else to
 * `server/master.key`, before the wrapping goes. Throws `OperationNotAllowed` where there is no passphrase.
 */
export async function removePassphrase(options: KeyOptions): Promise<KeySources> {
  const { vaults } = options.storage;
  if ((await vaults.wrapping('passphrase')) === undefined) {
    throw new AuthsomeError('OperationNotAllowed', 'the vault has no passphrase', {
      hint: 'What opens it: authsome whoami',
    });
  }
  const key = await vaultsKey(options);
  const others = (await keySources(options, key)).filter((source) => source !== 'passphrase');
  if (others.length === 0) await storeKey(options, key);
  await vaults.removeWrapping('passphrase');
  return keySources(options, key);
}

/** The master key, which opens every vault there is. */
async function vaultsKey(options: KeyOptions): Promise<Uint8Array> {
  const { vaults } = options.storage;
  const { key } = await currentMasterKey(options);
  if (!opensVaults(await vaults.all(), key)) throw wrongMasterKey(vaults);
  return key;
}

async function storeKey(options: KeyOptions, key: Uint8Array): Promise<void> {
  const { keychain } = options;
  try {
    // Never over another key: it may be another vault's.
    if (keychain !== undefined && (await keychain.read()) === undefined) {
      await keychain.store(key);
      return;
    }
  } catch {
    // No keychain here: the file is next.
  }
  const path = keyFilePath(options);
  if (isSame(createKeyFile(path, key), key)) return;
  throw new AuthsomeError('HomeNotUsable', `${path} contains the key of another vault`, {
    hint: 'Move it away, and run the command again. The passphrase was not removed.',
  });
}

/** Which sources have the key of the vaults, in the order in which they are used. */
async function keySources(options: KeyOptions, key: Uint8Array): Promise<KeySources> {
  const { storage, masterKey, masterKeyFile, keychain } = options;
  const inKeychain = await keychain?.read().catch(() => undefined);
  const found: readonly (MasterKeySource | false)[] = [
    masterKey !== undefined && 'env',
    masterKeyFile !== undefined && 'env_file',
    isSame(inKeychain, key) && 'keychain',
    isSame(readKeyFile(keyFilePath(options)), key) && 'file',
    (await storage.vaults.wrapping('passphrase')) !== undefined && 'passphrase',
  ];
  const [first, ...others] = found.filter((source) => source !== false);
  if (first === undefined) throw new TypeError('nothing has the key of the vaults');
  return [first, ...others];
}

function keyFilePath({ serverDirectory }: KeyOptions): string {
  return join(serverDirectory, 'master.key');
}

function isSame(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length && timingSafeEqual(one, other);
}

function requireSame(opened: Uint8Array, key: Uint8Array): void {
  if (!isSame(opened, key)) throw new TypeError('a new wrapping opens to another key');
  opened.fill(0);
}

function requireSameRow(stored: KeyWrappingRow | undefined, row: KeyWrappingRow): void {
  if (stored?.parameters === row.parameters && isSame(stored.sealed, row.sealed)) return;
  throw new TypeError('a new wrapping was not stored as it was written');
}
