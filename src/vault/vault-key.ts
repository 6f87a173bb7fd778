import { createHmac, timingSafeEqual } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import type { Database } from '../storage/index.ts';
import { keyBytes, type Place, type RandomBytes, type SealingKey, seal, sealingKey, unseal } from './seal.ts';

interface VaultRow {
  readonly wrapped_key: Uint8Array;
  readonly key_check: Uint8Array;
}

/** Whether the database holds a vault, so that a missing master key is a loss and not a first start. */
export function hasVault(database: Database): boolean {
  return database.one('SELECT 1 FROM vaults LIMIT 1') !== undefined;
}

/** Whether `masterKey` is the one that every vault here was made with; also true while there is none. */
export function opensVaults(database: Database, masterKey: Uint8Array): boolean {
  const rows = database.all<VaultRow & { readonly id: string }>(
    'SELECT id, wrapped_key, key_check FROM vaults',
  );
  return rows.every((row) => matches(row, masterKey, row.id));
}

/**
 * The data key of a vault: unwrapped, or made and wrapped when the vault is new. A vault that exists never gets
 * another key. Throws `WrongMasterKey` when `masterKey` is not the vault's, `DatabaseCorrupt` when it is and the
 * wrapped key does not open.
 */
export function vaultKey(
  database: Database,
  vaultId: string,
  masterKey: Uint8Array,
  randomBytes: RandomBytes,
  nowMs: () => number,
): SealingKey {
  const wrapping = sealingKey(masterKey);
  const row =
    vaultRow(database, vaultId) ??
    database.transaction(() => {
      const found = vaultRow(database, vaultId);
      if (found !== undefined) return found;
      // One master key for all: with two, no start could find both.
      if (!opensVaults(database, masterKey)) throw wrongMasterKey(database);
      const made: VaultRow = {
        wrapped_key: seal(wrapping, keyPlace(vaultId), randomBytes(keyBytes), randomBytes),
        key_check: keyCheck(masterKey, vaultId),
      };
      database.run(
        'INSERT INTO vaults (id, wrapped_key, key_check, created_at_ms) VALUES (?, ?, ?, ?)',
        vaultId,
        made.wrapped_key,
        made.key_check,
        nowMs(),
      );
      return made;
    });
  if (!matches(row, masterKey, vaultId)) {
    throw wrongMasterKey(database);
  }
  return sealingKey(unseal(wrapping, keyPlace(vaultId), row.wrapped_key));
}

export function wrongMasterKey(database: Database): AuthsomeError {
  return new AuthsomeError(
    'WrongMasterKey',
    `the master key is not the one that this vault was made with: ${database.path}`,
    {
      hint: 'Give back the key that was in use before: AUTHSOME_MASTER_KEY, AUTHSOME_MASTER_KEY_FILE, the keychain entry, or server/master.key. See: authsome doctor',
    },
  );
}

function vaultRow(database: Database, vaultId: string): VaultRow | undefined {
  return database.one<VaultRow>('SELECT wrapped_key, key_check FROM vaults WHERE id = ?', vaultId);
}

function keyPlace(vaultId: string): Place {
  return { vault: vaultId, record: 'vault', field: 'data key', version: 1 };
}

/** Public fingerprint of a master key, of no use for anything else. */
function keyCheck(masterKey: Uint8Array, vaultId: string): Uint8Array {
  return createHmac('sha256', masterKey).update(`authsome master key check 1 ${vaultId}`).digest();
}

function matches(row: VaultRow, masterKey: Uint8Array, vaultId: string): boolean {
  const check = keyCheck(masterKey, vaultId);
  return row.key_check.length === check.length && timingSafeEqual(row.key_check, check);
}
