import { spawn } from 'node:child_process';
import type { Environment } from '../../environment.ts';

/** A browser that fails does so at once; one that still runs after this long has opened. */
const settleMs = 1_500;

/** Whether one of `commands` could be started, tried in their order. Never waits for the browser's end. */
export async function openBrowser(
  commands: readonly (readonly string[])[],
  environment: Environment,
): Promise<boolean> {
  for (const command of commands) if (await starts(command, environment)) return true;
  return false;
}

function starts([program = '', ...args]: readonly string[], env: Environment): Promise<boolean> {
  return new Promise((resolve) => {
    // Its own process group: Ctrl-C at the waiting sign-in must not close the browser.
    const child = spawn(program, args, { stdio: 'ignore', detached: true, env: { ...env } });
    const timer = setTimeout(resolve, settleMs, true);
    child.once('error', () => settle(false));
    child.once('exit', (code) => settle(code === 0));
    child.unref();
    timer.unref();
    function settle(opened: boolean): void {
      clearTimeout(timer);
      resolve(opened);
    }
  });
}
