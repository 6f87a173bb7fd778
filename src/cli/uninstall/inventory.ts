import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import type { CommandContext } from '../context.ts';
import { openBackups } from '../scan/backups.ts';
import { isForeignFile } from './foreign-files.ts';
import { type HomeFiles, readHomeFiles } from './home-files.ts';

/** What authsome has left on this machine. */
export interface Inventory {
  readonly home: string;
  readonly files: HomeFiles;
  /** What only a daemon can tell; `undefined` where there is no vault here, or it does not open. */
  readonly daemon: DaemonInventory | undefined;
  /** Why the vault does not open. */
  readonly problem: AuthsomeError | undefined;
  readonly rewrittenFiles: readonly string[];
}

interface DaemonInventory {
  readonly url: string;
  readonly pid: number;
  readonly liveRuns: number;
  readonly usesKeychain: boolean;
  readonly connections: readonly { readonly provider: string; readonly connection: string }[];
}

/**
 * What is there. Only a home with a vault or an identity is one: without either, nothing in the directory counts as
 * authsome's. Starts the daemon to ask what the vault has, and changes nothing.
 */
export async function takeInventory(context: CommandContext): Promise<Inventory> {
  const { home } = context.settings();
  const hasVault = existsSync(join(home, 'server', 'authsome.db'));
  const isHome = hasVault || existsSync(join(home, 'identities', 'current'));
  const { daemon, problem } = hasVault ? await askDaemon(context) : noDaemon;
  const empty: HomeFiles = { files: [], directories: [], others: [], bytes: 0 };
  return {
    home,
    files: isHome ? readHomeFiles(home, isForeignFile(home)) : empty,
    daemon,
    problem,
    rewrittenFiles: isHome ? rewrittenFiles(home) : [],
  };
}

type Answer = Pick<Inventory, 'daemon' | 'problem'>;
const noDaemon: Answer = { daemon: undefined, problem: undefined };

async function askDaemon(context: CommandContext): Promise<Answer> {
  try {
    const { isLocal, baseUrl } = context.settings();
    if (!isLocal) {
      throw new AuthsomeError('OperationNotAllowed', `the settings name another daemon: ${baseUrl}`);
    }
    const client = await context.client();
    const [{ daemon, key_source }, { providers }] = [await client.whoami(), await client.list()];
    const { url, pid, live_runs: liveRuns } = daemon;
    const connections = providers.flatMap(({ name: provider, connections }) =>
      connections.map(({ name }) => ({ provider, connection: name })),
    );
    const usesKeychain = key_source === 'keychain';
    return { daemon: { url, pid, liveRuns, usesKeychain, connections }, problem: undefined };
  } catch (error) {
    if (!(error instanceof AuthsomeError)) throw error;
    return { daemon: undefined, problem: error };
  }
}

function rewrittenFiles(home: string): readonly string[] {
  try {
    const files = openBackups(home, randomBytes)
      .list()
      .map(({ backup }) => backup.file);
    return [...new Set(files)];
  } catch {
    // A backup that cannot be read cannot be undone either.
    return [];
  }
}
