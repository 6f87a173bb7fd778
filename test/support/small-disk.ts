import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { entry, type Fixture } from './fixture.ts';
import { type Outcome, start } from './product.ts';

/** A small disk of its own, at `disk` in the fixture's directory, seen only by the commands that are run in it. */
export interface SmallDisk {
  readonly path: string;
  authsome(args: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string): Promise<Outcome>;
  /** `$1` is the disk. */
  sh(script: string): Promise<Outcome>;
  close(): Promise<void>;
}

/** Grows a file until nothing more fits, and never gives back what it holds already. */
export const fill = 'dd if=/dev/zero of="$1"/ballast bs=4k oflag=append conv=notrunc 2>/dev/null; true';
export const free = 'rm "$1"/ballast';

export async function openSmallDisk(fixture: Fixture): Promise<SmallDisk> {
  const path = join(fixture.directory, 'disk');
  mkdirSync(path);
  const script = 'mount -t tmpfs -o size=3m tmpfs "$1" && echo ready && exec sleep 600';
  const holder = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const enter = ['--target', String(holder.pid), '--user', '--mount', '--preserve-credentials', '--'];
  const inside = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> =>
    start({
      program: 'nsenter',
      args: [...enter, ...args],
      env: { ...fixture.env, ...env },
      cwd: fixture.directory,
    }).ended;
  return {
    path,
    authsome: (args, env = {}, cwd = fixture.directory) =>
      inside(['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', cwd, process.execPath, entry, ...args], env),
    sh: (text) => inside(['sh', '-c', text, 'sh', path], {}),
    close: async () => {
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    },
  };
}
