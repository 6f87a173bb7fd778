import { spawn } from 'node:child_process';
import { AuthsomeError, type ErrorCode } from '../../errors.ts';
import { daemonEnvironment, isInsideRun } from '../daemon-environment.ts';
import type { DaemonOptions } from '../daemon-options.ts';
import { passphraseArguments, sendPassphrase } from './passphrase.ts';
import { lastErrorIn } from './reported-error.ts';

const timeoutMs = 30_000;
/** What a start would end with, although the daemon that is to be replaced has its vault open. */
const locked: ReadonlySet<ErrorCode> = new Set(['WrongMasterKey', 'PassphraseNeeded', 'WrongPassphrase']);

/**
 * Throws `WrongMasterKey`, `PassphraseNeeded` or `WrongPassphrase` when a daemon started now would not open its vault.
 * Nothing else is checked: a restart fixes more than it breaks.
 */
export async function preflightStart(
  { settings, launch: program }: DaemonOptions,
  passphrase?: string,
): Promise<void> {
  const args = [program.entry, 'daemon', 'serve', '--check', ...passphraseArguments(passphrase)];
  const { environment } = program;
  const isInside = await isInsideRun(environment, settings.home);
  const child = spawn(program.execPath, args, {
    cwd: settings.home,
    stdio: [passphrase === undefined ? 'ignore' : 'pipe', 'ignore', 'pipe'],
    env: daemonEnvironment(environment, settings.home, isInside),
    timeout: timeoutMs,
    windowsHide: true,
  });
  sendPassphrase(child.stdin, passphrase);
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  const error = lastErrorIn(text);
  if (error === undefined || !locked.has(error.code)) return;
  const elsewhere = 'Or run this in the shell that started the daemon, or with its variables.';
  const hint = error.code === 'WrongMasterKey' ? `${error.hint ?? ''}\n${elsewhere}`.trim() : error.hint;
  throw new AuthsomeError(
    error.code,
    `the daemon was not stopped, since ${error.message}`,
    hint === undefined ? {} : { hint },
  );
}
