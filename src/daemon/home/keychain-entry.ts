import { existsSync } from 'node:fs';
import type { Environment } from '../../environment.ts';
import { AuthsomeError } from '../../errors.ts';
import { systemKeychain } from '../../vault/index.ts';
import type { Home } from './home.ts';

/**
 * Removes the master key of a home that is gone from the keychain; whether it was there. Throws `OperationNotAllowed` while
 * the home still has a vault, which the key opens.
 */
export async function removeKeychainEntry(home: Home, environment: Environment): Promise<boolean> {
  if (existsSync(home.databaseFile)) {
    throw new AuthsomeError(
      'OperationNotAllowed',
      `the vault of this key still exists: ${home.databaseFile}`,
      {
        hint: 'To remove both: authsome uninstall',
      },
    );
  }
  try {
    return await systemKeychain({ account: home.path, environment: { ...environment } }).remove();
  } catch {
    // No keychain here, or a locked one: then nothing is known of an entry.
    return false;
  }
}
