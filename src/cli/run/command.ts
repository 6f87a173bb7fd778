import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunLease, RunRequest } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { loadSettings } from '../../settings.ts';
import type { CliOptions } from '../cli.ts';
import { connect } from '../connect.ts';
import type { GlobalFlags } from '../global-flags.ts';
import { type RunArguments, readRunArguments } from './arguments.ts';
import { caFilesOf, runEnvironment } from './environment.ts';
import { exitCodeOfSignal, isInForeground, startForwarding } from './signals.ts';

/** Beside the bundled program; built from `child-proxy.cts`. */
const childProxy = join(dirname(fileURLToPath(import.meta.url)), 'child-proxy.cjs');

/** The exit code of the child, or `help` when that was asked for instead. */
export async function runCommand(
  options: CliOptions & { readonly flags: GlobalFlags },
): Promise<number | 'help'> {
  const told = readRunArguments(options.args, options.flags);
  if (told.flags.help) return 'help';
  if (told.command === '') {
    throw new AuthsomeError('Usage', 'run needs a command to run', {
      hint: 'For example: authsome run -- claude',
    });
  }
  const { settings } = loadSettings(options.environment);
  const client = connect(options, settings);
  const lease = await client.openRun(runRequest(told, options.environment));
  try {
    const environment = runEnvironment(options.environment, lease.run, { childProxy }, process.platform);
    const code = await exitCodeOf(startChild(told, environment));
    if (told.flags.verbose) await tellHowItEnded(lease);
    return code;
  } finally {
    lease.close();
  }
}

function runRequest(told: RunArguments, environment: CliOptions['environment']): RunRequest {
  return {
    providers: told.providers,
    connections: told.connections,
    command: basename(told.command),
    ca_files: caFilesOf(environment),
  };
}

/** The child, with the streams, the terminal and the process group of this process. */
function startChild(told: RunArguments, env: Record<string, string>): ChildProcess {
  const { command, commandArguments } = told;
  return startForwarding(() => spawn(command, commandArguments, { stdio: 'inherit', env }), isInForeground);
}

/** The child's own exit code, 128+n for a signal; rejects when it could not be started. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => reject(notStarted(child.spawnfile, error)));
    child.once('exit', (code, signal) => {
      resolve(signal === null ? (code ?? 1) : exitCodeOfSignal(signal));
    });
  });
}

function notStarted(command: string, error: NodeJS.ErrnoException): AuthsomeError {
  if (error.code !== 'ENOENT') {
    const reason = error.code === 'EACCES' ? 'it is not executable' : (error.code ?? 'unknown reason');
    return new AuthsomeError('CommandNotExecutable', `cannot run ${command}: ${reason}`, {
      hint: `Look at it: ls -ld ${command}`,
      cause: error,
    });
  }
  if (command.includes('/') && existsSync(command)) {
    return new AuthsomeError(
      'CommandNotExecutable',
      `cannot run ${command}: the interpreter that its first line names does not exist`,
      { hint: `Look at it: head -n 1 ${command}`, cause: error },
    );
  }
  return new AuthsomeError('CommandNotFound', `command not found: ${command}`, { cause: error });
}

/** The child went on without its proxy, so only someone who asks is told. */
async function tellHowItEnded(lease: RunLease): Promise<void> {
  const going = Symbol('going');
  const state = await Promise.race([lease.ended, Promise.resolve(going)]);
  if (state !== going) process.stderr.write('authsome: the daemon ended before the command did\n');
}
