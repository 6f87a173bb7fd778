/** What both agents' tests stand on: authsome, the stand-in of the services, and homes that are searched for secrets. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

const modules = join(import.meta.dirname, 'node_modules');
const platform = `${process.platform}-${process.arch}`;
const programs = [join(modules, `@anthropic-ai/claude-code-${platform}`), join(modules, '.bin')];

export interface Stand extends Fixture {
  readonly standIn: StandIn;
  /** An empty home, or a copy of another one, and the environment of an agent in it. */
  newHome(copyOf?: AgentHome): AgentHome;
}

export interface AgentHome {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function openStand(): Promise<Stand> {
  const standIn = await startStandIn();
  const directory = mkdtempSync(join(tmpdir(), 'authsome-agents-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, standIn.caPem);
  const fixture = await openFixture({
    AUTHSOME_RESOLVE: standIn.resolve,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
  let homes = 0;
  return {
    ...fixture,
    standIn,
    newHome(copyOf) {
      homes += 1;
      const path = join(directory, `home-${homes}`);
      if (copyOf === undefined) mkdirSync(path);
      else cpSync(copyOf.path, path, { recursive: true });
      const path_ = [...programs, dirname(process.execPath), process.env.PATH ?? ''].join(delimiter);
      // A browser that cannot be started is one that nobody has to close.
      return { path, env: { HOME: path, PATH: path_, BROWSER: '/bin/false', DISABLE_AUTOUPDATER: '1' } };
    },
    async close() {
      await fixture.close();
      await standIn.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The files below the home that contain one of these secrets. */
export function filesWith(secrets: readonly string[], home: AgentHome): readonly string[] {
  return readdirSync(home.path, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    if (!entry.isFile()) return [];
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'latin1');
    return secrets.some((secret) => text.includes(secret)) ? [file] : [];
  });
}

/** Resolves once the condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`did not happen: ${what}`);
}
