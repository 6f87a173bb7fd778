import type { KeySource } from '../../client/index.ts';

/** Where the vault's master key comes from, in words. */
export const keySourceText: Readonly<Record<KeySource, string>> = {
  env: 'AUTHSOME_MASTER_KEY',
  env_file: 'the file in AUTHSOME_MASTER_KEY_FILE',
  keychain: 'the keychain',
  file: 'server/master.key',
  passphrase: 'the passphrase',
};
