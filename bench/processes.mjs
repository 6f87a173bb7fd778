/**
 * What the proxy benches share: a scratch folder, processes that are pinned to a core, the programs of `bench/proxy/` and
 * `bench/go/`, the load, and medians. Load and upstream belong on core 0, whatever is measured on core 1.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
/** The tree that this bench is part of. */
export const root = dirname(here);
const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0 && cpus().length > 1;

/** A scratch folder and the processes that work in it; `close` ends both. */
export function openScratch() {
  const folder = mkdtempSync(join(tmpdir(), 'authsome-bench-'));
  const children = [];
  return {
    file: (name) => join(folder, name),
    /** Starts a process that prints one line of JSON when it is ready. */
    start(core, command, args) {
      const run = pinned(core, command, args);
      const child = spawn(run.command, run.all, { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return new Promise((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (chunk) => {
          text += chunk;
          if (text.includes('\n')) resolve({ ready: JSON.parse(text), pid: child.pid });
        });
        child.on('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
      });
    },
    /** Starts a process that says nothing. */
    startSilent(core, command, args) {
      const run = pinned(core, command, args);
      const child = spawn(run.command, run.all, { stdio: 'ignore' });
      children.push(child);
      return child.pid;
    },
    /** A program of a tree's `bench/proxy/` as one file that Node can run. */
    async bundled(name, tree = root) {
      const output = join(folder, Buffer.from(tree).toString('hex').slice(-40));
      const script = join(output, `${name}.mjs`);
      if (existsSync(script)) return script;
      mkdirSync(output, { recursive: true });
      const bundle = await rolldown({
        input: join(tree, `bench/proxy/${name}.ts`),
        cwd: tree,
        platform: 'node',
        external: ['@photostructure/sqlite', '@napi-rs/keyring'],
        logLevel: 'silent',
      });
      await bundle.write({
        dir: output,
        format: 'esm',
        entryFileNames: `${name}.mjs`,
        chunkFileNames: `${name}-[name]-[hash].mjs`,
      });
      const modules = join(output, 'node_modules');
      if (!existsSync(modules)) symlinkSync(join(tree, 'node_modules'), modules);
      return script;
    },
    /** The comparator and the load generator, or `undefined` where they cannot be built. */
    buildGo() {
      if (spawnSync('go', ['version']).status !== 0) {
        console.log(
          'Go is missing (any from 1.24 on): its column is left out, and Node makes the load, which slows all columns.\n',
        );
        return undefined;
      }
      const go = join(folder, 'bench');
      const built = spawnSync('go', ['build', '-o', go, '.'], { cwd: join(here, 'go'), encoding: 'utf8' });
      if (built.status !== 0) throw new Error(built.stderr);
      return go;
    },
    close() {
      for (const child of children) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One run of the load generator against a peer (`via`, `auth`, `ca`, `host`); what it printed, or a failure. */
export function runLoad([program, ...programArgs], { via, auth, ca, host }, port, mode, more = []) {
  const target = ['-target', `${host}:${port}`, '-via', via, '-auth', auth, '-ca', ca];
  const { command, all } = pinned(0, program, [...programArgs, 'load', '-mode', mode, ...target, ...more]);
  const run = spawnSync(command, all, { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGKILL' });
  if (run.status !== 0) return { failure: run.stderr?.trim() || 'no response in time' };
  return { result: JSON.parse(run.stdout) };
}

/** User and system time of a process so far; taskset becomes what it starts, so the pid stays. */
export function cpuSeconds(pid) {
  if (pid === undefined) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function pinned(core, command, args) {
  return canPin
    ? { command: 'taskset', all: ['-c', String(core), command, ...args] }
    : { command, all: args };
}
