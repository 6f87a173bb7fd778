import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { rolldown } from 'rolldown';

const source = resolve(import.meta.dirname, '../../../src');

/** A process of its own that runs a script over the storage rooms, and the lines that it printed. */
export interface Child {
  readonly process: ChildProcess;
  /** The next line, `undefined` after the last. */
  line(): Promise<string | undefined>;
  say(text: string): void;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export interface Program {
  /** Program and arguments, for who starts it by other means. */
  command(args: readonly string[]): readonly string[];
  start(args: readonly string[]): Child;
  remove(): void;
}

/** The program `script`, bundled, so that every supported Node can run it: some cannot read TypeScript. */
export async function bundleProgram(script: string): Promise<Program> {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-program-'));
  const file = join(directory, 'program.mjs');
  const require = createRequire(import.meta.url);
  const bundle = await rolldown({
    input: 'program',
    platform: 'node',
    plugins: [
      {
        name: 'program',
        resolveId(id) {
          if (id === 'program') return id;
          if (id === '@photostructure/sqlite') return { id: require.resolve(id), external: true };
          return undefined;
        },
        load: (id) => (id === 'program' ? { code: preamble + script, moduleType: 'ts' } : undefined),
      },
    ],
  });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return {
    command: (args) => [process.execPath, file, ...args],
    start: (args) => startChild(file, args),
    remove: () => rmSync(directory, { recursive: true }),
  };
}

const preamble = `
import { rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStorage } from '${source}/storage/index.ts';
import { openVault } from '${source}/vault/index.ts';
import { openAuditTrail } from '${source}/audit/index.ts';
const [path, ...rest] = process.argv.slice(2);
const masterKey = Buffer.alloc(32, 7);
const storage = await openStorage(path);
const vault = await openVault({ storage, masterKey, vaultId: 'vault-1', randomBytes, nowMs: Date.now });
const trail = openAuditTrail({ table: storage.audit, nowMs: Date.now, randomBytes });
const say = (text) => process.stdout.write(text + '\\n');
`;

function startChild(file: string, args: readonly string[]): Child {
  const child = spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    line: async () => (await lines.next()).value,
    say: (text) => void child.stdin.write(`${text}\n`),
    ended: new Promise((settle) => {
      child.once('exit', (code, signal) => settle(signal ?? code ?? -1));
    }),
  };
}
