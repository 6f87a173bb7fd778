import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** What a shell reports for a process that a signal ended. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}

/** Sent to one process by its number: the child would never hear of them. */
const alwaysForwarded: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR2'];
/** Sent by a terminal's keys to the whole foreground group, the child included: passed on only when they were not. */
const keyboard: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Passes on to `child` the signals that reach this process alone, and outlives them, so that the child decides what
 * they mean. SIGTSTP and SIGCONT keep their default: parent and child stop and go on together, as the shell expects.
 */
export function forwardSignals(child: ChildProcess, isForeground: () => boolean): void {
  for (const signal of alwaysForwarded) process.on(signal, () => void child.kill(signal));
  for (const signal of keyboard) {
    process.on(signal, () => {
      if (!isForeground()) child.kill(signal);
    });
  }
  // Node opens its debugger on SIGUSR1 unless somebody listens.
  process.on('SIGUSR1', () => void child.kill('SIGUSR1'));
}

/**
 * Whether this process belongs to its terminal's foreground group, read from /proc/self/stat (proc(5): `pgrp` is
 * field 5, `tpgid` field 8). Where there is no /proc, `ask` tells.
 */
export function isInForeground(
  readStat: () => string = readOwnStat,
  ask: () => boolean = () => false,
): boolean {
  let stat: string;
  try {
    stat = readStat();
  } catch {
    return ask();
  }
  // The second field is the program's name in parentheses, and may hold anything, spaces and parentheses included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [, , group, , , terminalGroup] = fields;
  return group !== undefined && group === terminalGroup;
}

function readOwnStat(): string {
  return readFileSync('/proc/self/stat', 'utf8');
}
