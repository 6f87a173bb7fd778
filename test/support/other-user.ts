import { chownSync } from 'node:fs';
import { type CommandOptions, entry, type Fixture } from './fixture.ts';
import { type Running, start } from './product.ts';

/** Users of this machine without a name or a home; only root can act as one of them. */
export const owner = 54_321;
export const stranger = 54_322;

/** Starts a program as another user, with no group but one of the same number. */
export function startAs(
  uid: number,
  program: string,
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string; readonly stdin?: string },
): Running {
  const switching = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--no-new-privs'];
  return start({ program: 'setpriv', args: [...switching, '--', program, ...args], ...options });
}

/** Runs commands of a fixture as another user, to whom its directory is given. */
export function commandsAs(uid: number, fixture: Fixture) {
  chownSync(fixture.directory, uid, uid);
  return (args: readonly string[], { env = {} }: Pick<CommandOptions, 'env'> = {}): Running =>
    startAs(uid, process.execPath, [entry, ...args], {
      env: { ...fixture.env, ...env },
      cwd: fixture.directory,
    });
}
