import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { encodeKey, parseKey } from './key-text.ts';

/** The operating system's keychain, reduced to the one entry that belongs to one home. */
export interface Keychain {
  /** What to call the entry in a message. */
  readonly entry: string;
  /** The key, `undefined` when there is no entry. Throws when the keychain cannot be asked, or not in time. */
  read(): Promise<Uint8Array | undefined>;
  /** Throws when the key was not stored. */
  store(key: Uint8Array): Promise<void>;
}

export interface KeychainOptions {
  /** The home's absolute path, so that two homes have two keys. */
  readonly account: string;
  /** Milliseconds that the keychain may take to answer. */
  readonly patienceMs?: number;
  /** Environment of the process that talks to the keychain; this process's own when left out. */
  readonly environment?: NodeJS.ProcessEnv;
}

const service = 'authsome';

/**
 * Talks to the keychain and prints its answer. `secret-service` is named because the library would else fall back
 * to the kernel's keyring without a word, and that one forgets everything at the next boot.
 */
const conversation = `
const [, library, service, account] = process.argv;
const { AsyncEntry } = require(library);
let request = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => { request += chunk; }).on('end', async () => {
  try {
    const entry = new AsyncEntry(service, account, { linux: { store: 'secret-service' } });
    if (request !== '') await entry.setPassword(request);
    process.stdout.write('=' + ((await entry.getPassword()) ?? ''));
  } catch {
    process.exitCode = 1;
  }
});
`;

/**
 * The keychain through `@napi-rs/keyring`, in a process of its own for each question: a session bus that accepts
 * and then keeps silent blocks the library inside native code, where no timer of ours could fire.
 */
export function systemKeychain(options: KeychainOptions): Keychain {
  const { account, patienceMs = 3_000, environment } = options;
  const ask = (request: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const library = createRequire(import.meta.url).resolve('@napi-rs/keyring');
      const child = spawn(process.execPath, ['-e', conversation, library, service, account], {
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: patienceMs,
        killSignal: 'SIGKILL',
        ...(environment === undefined ? {} : { env: environment }),
      });
      let answer = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        answer += chunk;
      });
      child.on('error', () => reject(new Error('the keychain could not be asked')));
      child.on('close', (code) => {
        if (code === 0 && answer.startsWith('=')) resolve(answer.slice(1));
        else reject(new Error('the keychain did not answer'));
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
      if ((await ask(text)) !== text) throw new Error('the keychain did not keep the key');
    },
  };
}
