import type { Writable } from 'node:stream';
import { AuthsomeError } from '../../errors.ts';
import type { DaemonOptions } from '../daemon-options.ts';

const tries = 3;

/**
 * What `attempt` returns: first called without a passphrase, then, where the daemon needs one and a person can type it, with
 * what was typed. Throws `WrongPassphrase` after three wrong ones, and `Cancelled`.
 */
export async function withPassphrase<Result>(
  { askPassphrase }: Pick<DaemonOptions, 'askPassphrase'>,
  attempt: (passphrase: string | undefined) => Promise<Result>,
): Promise<Result> {
  let failure: unknown;
  try {
    return await attempt(undefined);
  } catch (error) {
    if (!hasCode(error, 'PassphraseNeeded') || askPassphrase === undefined) throw error;
    failure = error;
  }
  for (let tried = 1; ; tried += 1) {
    const passphrase = await askPassphrase(tried > 1);
    if (passphrase === null) throw failure;
    if (passphrase === undefined) throw new AuthsomeError('Cancelled', 'no passphrase was typed');
    try {
      return await attempt(passphrase);
    } catch (error) {
      if (!hasCode(error, 'WrongPassphrase') || tried === tries) throw error;
    }
  }
}

function hasCode(error: unknown, code: AuthsomeError['code']): boolean {
  return error instanceof AuthsomeError && error.code === code;
}

/** How a passphrase reaches a daemon: never in its arguments or its environment, which other processes can read. */
export function passphraseArguments(passphrase: string | undefined): readonly string[] {
  return passphrase === undefined ? [] : ['--passphrase-from-stdin'];
}

/** Writes a passphrase to a process that was started with `passphraseArguments`. */
export function sendPassphrase(stdin: Writable | null, passphrase: string | undefined): void {
  if (stdin === null || passphrase === undefined) return;
  // The process may have ended already; why is in its log.
  stdin.on('error', () => {});
  stdin.end(`${passphrase}\n`);
}
