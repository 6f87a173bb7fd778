import type { Keychain } from './keychain.ts';
import { type MasterKey, type MasterKeySource, resolveMasterKey } from './master-key.ts';
import { type PassphraseKey, passphraseKey } from './passphrase-key.ts';
import type { Vault } from './record.ts';
import type { RandomBytes } from './seal.ts';
import { openVault, type VaultStorage } from './sealed-vault.ts';
import { opensVaults, wrongMasterKey } from './vault-key.ts';

export interface UnlockOptions {
  readonly storage: VaultStorage;
  readonly vaultId: string;
  readonly masterKey: string | undefined;
  readonly masterKeyFile: string | undefined;
  readonly serverDirectory: string;
  readonly keychain: Keychain | undefined;
  /** Without it, a vault with a passphrase opens by its other sources only. */
  readonly passphrase?: PassphraseKey;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

export type KeyOptions = Omit<UnlockOptions, 'vaultId' | 'nowMs'>;

/**
 * The vault, opened with the master key, and the source that had the key. Only for the process with the home's lock:
 * two first starts at once could make two keys and lose the one that the vault was made with.
 */
export async function unlockVault(
  options: UnlockOptions,
): Promise<{ readonly vault: Vault; readonly keySource: MasterKeySource }> {
  const { storage, vaultId, randomBytes, nowMs } = options;
  const { key, source } = await currentMasterKey(options);
  return {
    vault: await openVault({ storage, masterKey: key, vaultId, randomBytes, nowMs }),
    keySource: source,
  };
}

/** Throws `WrongMasterKey` unless the master key of the existing vaults is available. Makes nothing. */
export async function requireMasterKey(options: KeyOptions): Promise<void> {
  const { vaults } = options.storage;
  const existing = await vaults.all();
  // No vault, no key: a missing master key is a first start then, and not a loss.
  if (existing.length === 0) return;
  const { key } = await currentMasterKey(options);
  if (!opensVaults(existing, key)) throw wrongMasterKey(vaults);
}

/** The master key of the vaults that exist; without a vault, the one to make the first with. */
export async function currentMasterKey(options: KeyOptions): Promise<MasterKey> {
  const { vaults } = options.storage;
  const [existing, wrapping] = await Promise.all([vaults.all(), vaults.wrapping('passphrase')]);
  const { passphrase = passphraseKey({ typed: undefined, file: undefined }) } = options;
  return resolveMasterKey({
    ...options,
    vaultExists: existing.length > 0,
    opensVault: (candidate) => opensVaults(existing, candidate),
    fromPassphrase: wrapping === undefined ? undefined : () => passphrase.open(wrapping),
  });
}
