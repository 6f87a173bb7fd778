import { type ChildProcess, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** What a shell reports for a process that has ended: 128+n for one that a signal ended. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
}

/**
 * Signals that are sent to one process by its number, so the child would never get them. (Unless somebody listens for
 * SIGUSR1, Node opens its debugger on it.)
 */
const alwaysForwarded: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
/**
 * Signals that a terminal's keys send to the whole foreground group, the child included. Passed on only when sent
 * otherwise.
 */
const keyboard: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * The child that `start` starts. Signals that reach this process alone are passed on to it, and none of them ends this
 * process, so that the child decides what they mean. They are listened for before there is a child: it may be heard
 * from, and interrupted, before `start` returns. SIGTSTP and SIGCONT keep their default: parent and child stop and
 * continue together, as the shell expects.
 */
export function startForwarding(start: () => ChildProcess, isForeground: () => boolean): ChildProcess {
  let child: ChildProcess | undefined;
  for (const signal of alwaysForwarded) process.on(signal, () => void child?.kill(signal));
  for (const signal of keyboard) {
    process.on(signal, () => {
      if (!isForeground()) child?.kill(signal);
    });
  }
  child = start();
  return child;
}

/**
 * Whether this process belongs to its terminal's foreground group, read from /proc/self/stat (proc(5): `pgrp` is
 * field 5, `tpgid` field 8). Without /proc, ps(1) shows it.
 */
export function isInForeground(readStat: () => string = readOwnStat, ask: () => boolean = askPs): boolean {
  let stat: string;
  try {
    stat = readStat();
  } catch {
    return ask();
  }
  // The second field is the program's name in parentheses, and may contain anything, even spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, , group, , , terminalGroup] = fields;
  return group !== undefined && group === terminalGroup;
}

function readOwnStat(): string {
  return readFileSync('/proc/self/stat', 'utf8');
}

/** A `+` in the state marks the foreground group, on macOS and the BSDs. */
function askPs(): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(process.pid)], { encoding: 'utf8' });
  return (stdout ?? '').includes('+');
}
