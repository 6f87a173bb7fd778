/**
 * The home: the directory with all that one authsome stores. Its paths and modes, the lock of its daemon, and the files
 * that the daemon watches in it.
 */
export { watchFile } from './file-watch.ts';
export { type Home, homeAt, homeFaults, prepareHome } from './home.ts';
export { removeKeychainEntry } from './keychain-entry.ts';
export { maintainFile } from './maintained-file.ts';
export { checkMasterKey } from './master-key-check.ts';
export { otherDaemonIsHealthy } from './other-daemon.ts';
export { typedPassphrase } from './typed-passphrase.ts';
