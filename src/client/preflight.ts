import { spawn } from 'node:child_process';
import { AuthsomeError } from '../errors.ts';
import { daemonEnvironment } from './daemon-environment.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { lastErrorIn } from './reported-error.ts';

const timeoutMs = 30_000;

/**
 * Throws `WrongMasterKey` when a daemon started now would not find the key of its vault. Nothing else is checked: a
 * restart fixes more than it breaks.
 */
export async function preflightStart({ settings, launch: program }: DaemonOptions): Promise<void> {
  const child = spawn(program.execPath, [program.entry, 'daemon', 'serve', '--check'], {
    cwd: settings.home,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: daemonEnvironment(program.environment, settings.home),
    timeout: timeoutMs,
    windowsHide: true,
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  const error = lastErrorIn(text);
  if (error?.code !== 'WrongMasterKey') return;
  throw new AuthsomeError(error.code, `the daemon was not stopped, since ${error.message}`, {
    hint: `${error.hint ?? ''}\nOr run this in the shell that started the daemon, or with its variables.`.trim(),
  });
}
