import { spawn } from 'node:child_process';
import { parseJson } from '../json.ts';
import { daemonEnvironment } from './daemon-environment.ts';
import type { DaemonOptions } from './daemon-options.ts';

const timeoutMs = 15_000;

/** Removes the master key of a home that is gone from the keychain; whether it was there. */
export async function forgetKeychain({ settings, launch: program }: DaemonOptions): Promise<boolean> {
  const child = spawn(program.execPath, [program.entry, 'daemon', 'serve', '--forget-keychain'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: daemonEnvironment(program.environment, settings.home, false),
    timeout: timeoutMs,
    windowsHide: true,
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve()).once('error', () => resolve());
  });
  return (parseJson(text) as { readonly removed?: unknown } | undefined)?.removed === true;
}
