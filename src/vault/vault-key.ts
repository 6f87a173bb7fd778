import { createHmac, timingSafeEqual } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import type { VaultRow, VaultTable } from '../storage/index.ts';
import { keyBytes, type Place, type RandomBytes, type SealingKey, seal, sealingKey, unseal } from './seal.ts';

export interface VaultKeyOptions {
  readonly storage: { readonly vaults: VaultTable };
  readonly vaultId: string;
  readonly masterKey: Uint8Array;
  readonly randomBytes: RandomBytes;
  readonly nowMs: () => number;
}

/** Whether `masterKey` is the one that every one of these vaults was made with; also true when there is none. */
export function opensVaults(vaults: readonly VaultRow[], masterKey: Uint8Array): boolean {
  return vaults.every((row) => matches(row, masterKey));
}

/**
 * The data key of a vault: unwrapped, or made and wrapped when the vault is new. A vault that exists never gets
 * another key. Throws `WrongMasterKey` when `masterKey` is not the vault's, `DatabaseCorrupt` when it is and the
 * wrapped key does not open.
 */
export async function vaultKey(options: VaultKeyOptions): Promise<SealingKey> {
  const { vaultId, masterKey, randomBytes, nowMs } = options;
  const { vaults } = options.storage;
  const wrapping = sealingKey(masterKey);
  const row = await vaults.findOrAdd(vaultId, (existing) => {
    // One master key for all: with two, no start could find both.
    if (!opensVaults(existing, masterKey)) throw wrongMasterKey(vaults);
    return {
      id: vaultId,
      wrappedKey: seal(wrapping, keyPlace(vaultId), randomBytes(keyBytes), randomBytes),
      keyCheck: keyCheck(masterKey, vaultId),
      createdAtMs: nowMs(),
    };
  });
  if (!matches(row, masterKey)) throw wrongMasterKey(vaults);
  return sealingKey(unseal(wrapping, keyPlace(vaultId), row.wrappedKey));
}

export function wrongMasterKey(vaults: VaultTable): AuthsomeError {
  return new AuthsomeError(
    'WrongMasterKey',
    `the master key is not the one that this vault was made with: ${vaults.location}`,
    {
      hint: 'Restore the previous key: AUTHSOME_MASTER_KEY, AUTHSOME_MASTER_KEY_FILE, the keychain entry, or server/master.key. See: authsome doctor',
    },
  );
}

function keyPlace(vaultId: string): Place {
  return { vault: vaultId, record: 'vault', field: 'data key', version: 1 };
}

/** Public fingerprint of a master key, of no use for anything else. */
function keyCheck(masterKey: Uint8Array, vaultId: string): Uint8Array {
  return createHmac('sha256', masterKey).update(`authsome master key check 1 ${vaultId}`).digest();
}

function matches(row: VaultRow, masterKey: Uint8Array): boolean {
  const check = keyCheck(masterKey, row.id);
  return row.keyCheck.length === check.length && timingSafeEqual(row.keyCheck, check);
}
