import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { encodeKey, parseKey } from './key-text.ts';

/** The operating system's keychain, reduced to the one entry that belongs to one home. */
export interface Keychain {
  /** The entry's name in messages. */
  readonly entry: string;
  /** The key, `undefined` when there is no entry. Throws when the keychain does not respond in time. */
  read(): Promise<Uint8Array | undefined>;
  /** Throws when the key was not stored. */
  store(key: Uint8Array): Promise<void>;
  /** Whether there was an entry to remove. Throws when it was not removed. */
  remove(): Promise<boolean>;
}

export interface KeychainOptions {
  /** The home's absolute path, so that two homes have two keys. */
  readonly account: string;
  /** How long the keychain may take to respond. */
  readonly timeoutMs?: number;
  /** Environment of the process that talks to the keychain; this process's own when left out. */
  readonly environment?: NodeJS.ProcessEnv;
}

const service = 'authsome';

/**
 * The program that talks to the keychain and prints its response. It names `secret-service`, since the library would
 * otherwise fall back silently to the kernel's keyring, which is emptied at the next boot.
 */
const keychainProgram = `
const [, library, service, account] = process.argv;
const { AsyncEntry } = require(library);
let request = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => { request += chunk; }).on('end', async () => {
  try {
    const entry = new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
    const removed = request === 'remove' && (await entry.deletePassword());
    if (request !== '' && request !== 'remove') await entry.setPassword(request);
    process.stdout.write('=' + (removed ? 'removed' : ((await entry.getPassword()) ?? '')));
  } catch {
    process.exitCode = 1;
  }
});
`;

/**
 * The keychain through `@napi-rs/keyring`, in a process of its own for each request: a session bus that accepts and
 * never responds blocks the library in native code, where no timer of this process would fire.
 */
export function systemKeychain(options: KeychainOptions): Keychain {
  const { account, timeoutMs = 3_000, environment } = options;
  const ask = (request: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const library = createRequire(import.meta.url).resolve('@napi-rs/keyring');
      const child = spawn(process.execPath, ['-e', keychainProgram, library, service, account], {
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        ...(environment === undefined ? {} : { env: environment }),
      });
      let answer = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
      });
      child.on('error', () => reject(new Error('the keychain could not be reached')));
      child.on('close', (code) => {
        if (code === 0 && answer.startsWith('=')) resolve(answer.slice(1));
        else reject(new Error('the keychain did not respond'));
      });
      child.stdin.on('error', () => {});
      child.stdin.end(request);
    });
  const entry = `${service} (${account})`;
  return {
    entry,
    async read() {
      const text = await ask('');
      return text === '' ? undefined : parseKey(text, `keychain entry ${entry}`);
    },
    async store(key) {
      const text = encodeKey(key);
      if ((await ask(text)) !== text) throw new Error('the keychain did not store the key');
    },
    async remove() {
      const answer = await ask('remove');
      if (answer !== '' && answer !== 'removed') throw new Error('the keychain did not remove the key');
      return answer === 'removed';
    },
  };
}
