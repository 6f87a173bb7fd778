import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Environment } from '../../environment.ts';
import type { Settings } from '../../settings.ts';
import { openStorageAsFound } from '../../storage/index.ts';
import { type PassphraseKey, requireMasterKey, systemKeychain } from '../../vault/index.ts';
import type { Home } from './home.ts';

/**
 * Throws what would keep a daemon with this environment from opening the vaults of the home. `daemon restart` asks before it
 * stops a daemon that has the key. May run beside a daemon.
 */
export async function checkMasterKey(
  { masterKey, masterKeyFile }: Settings,
  home: Home,
  environment: Environment,
  passphrase: PassphraseKey,
): Promise<void> {
  if (!existsSync(home.databaseFile)) return;
  const storage = await openStorageAsFound(home.databaseFile);
  try {
    const keychain = systemKeychain({ account: home.path, environment: { ...environment } });
    const serverDirectory = home.server;
    await requireMasterKey({
      storage,
      masterKey,
      masterKeyFile,
      serverDirectory,
      keychain,
      passphrase,
      randomBytes,
    });
  } finally {
    await storage.close();
  }
}
