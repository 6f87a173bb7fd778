/** Installs the programs that these tests drive, as their lockfile says. Without the registry the tests fail, and say so. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;

export default function install(): void {
  if (isInstalled()) return;
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: here,
    encoding: 'utf8',
  });
  if (npm.status === 0) return;
  throw new Error(
    `the agents under test could not be installed. Connect to the npm registry, run "npm ci" in test/agents, and start the tests again.\n${npm.stderr}`,
  );
}

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly dependencies?: Readonly<Record<string, string>> }>
  >;
}

function isInstalled(): boolean {
  const installed = join(here, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const { packages } = JSON.parse(readFileSync(installed, 'utf8')) as Lockfile;
  const wanted = JSON.parse(readFileSync(join(here, 'package-lock.json'), 'utf8')) as Lockfile;
  return Object.keys(wanted.packages['']?.dependencies ?? {}).every(
    (name) => packages[`node_modules/${name}`]?.version === wanted.packages[`node_modules/${name}`]?.version,
  );
}
