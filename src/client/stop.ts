import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AuthsomeError } from '../errors.ts';
import { readDaemonRecord } from './daemon-record.ts';
import { isAlive } from './liveness.ts';
import { findPortHolder } from './port-holder.ts';
import type { DaemonRecord } from './wire.ts';

const exitTimeoutMs = 15_000;
const pollMs = 10;

/** Resolves when the process of a record, which was asked to stop, has ended. */
export async function waitForExit(record: DaemonRecord, home: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < exitTimeoutMs; waitedMs += pollMs) {
    if (!isAlive(record.pid)) return;
    // In containers the pid of a zombie stays. It removed its record when it ended.
    const now = readDaemonRecord(home);
    if (now?.secret !== record.secret && !(await acceptsAt(record))) return;
    await delay(pollMs);
  }
  throw new AuthsomeError('DaemonUnavailable', `the daemon (pid ${record.pid}) did not stop`, {
    hint: `Run: kill -9 ${record.pid}`,
  });
}

/**
 * Kills the daemon of a record, which no longer responds; whether that was done. Only the process that listens on the
 * record's port is killed: by now its number alone may be another process's.
 */
export async function killHanging(record: DaemonRecord, home: string): Promise<boolean> {
  const holder = await findPortHolder(Number(new URL(record.url).port || 80));
  if (holder?.pid !== record.pid) return false;
  process.kill(record.pid, 'SIGKILL');
  await waitForExit(record, home);
  return true;
}

function acceptsAt({ url }: DaemonRecord): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return accepts(hostname.replace(/^\[|\]$/g, ''), Number(port || 80));
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 500 });
    const settle = (isAccepted: boolean) => () => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}
