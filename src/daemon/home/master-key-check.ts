import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Environment } from '../../environment.ts';
import type { Settings } from '../../settings.ts';
import { openStorageAsFound } from '../../storage/index.ts';
import { requireMasterKey, systemKeychain } from '../../vault/index.ts';
import type { Home } from './home.ts';

/**
 * Throws what would keep a daemon with this environment from opening the vault of the home: whoever wants to replace
 * one that runs can learn it while that still has the key. Beside a running daemon it does no harm.
 */
export async function checkMasterKey(
  { masterKey, masterKeyFile }: Settings,
  home: Home,
  environment: Environment,
): Promise<void> {
  if (!existsSync(home.databaseFile)) return;
  const storage = await openStorageAsFound(home.databaseFile);
  try {
    const keychain = systemKeychain({ account: home.path, environment: { ...environment } });
    const serverDirectory = home.server;
    await requireMasterKey({ storage, masterKey, masterKeyFile, serverDirectory, keychain, randomBytes });
  } finally {
    await storage.close();
  }
}
