/**
 * `npm run fuzz -- --minutes 20 --seed 1`: the proxy between two peers that may say anything, for a long time: its
 * HTTP/1.1 core, and all of it over HTTP/2. Then the documents that authorization servers send, and definitions.
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : process.argv[at + 1];
};

const { status } = spawnSync(
  'npx',
  [
    '--no-install',
    'vitest',
    'run',
    '--project',
    'unit',
    'test/fuzz.test.ts',
    'test/fuzz-http2.test.ts',
    'test/fuzz-documents.test.ts',
    'test/fuzz-definitions.test.ts',
  ],
  {
    cwd: resolve(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: { ...process.env, FUZZ_MINUTES: option('minutes', '20'), FUZZ_SEED: option('seed', '1') },
  },
);
process.exitCode = status ?? 1;
