import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from '../command-line.ts';
import { AuthsomeError } from '../errors.ts';
import type { DaemonRecord } from './wire.ts';

/** The version of the API that this client speaks; a daemon of another one is no use to it. */
export const apiVersion = 1;

export function daemonRecordFile(home: string): string {
  return join(home, 'server', 'daemon.json');
}

/**
 * What the home says about its daemon; `undefined` when it says nothing readable. Whether that daemon is there is for
 * its proof to tell. Throws `HomeNotUsable` for a file that others may have written or read.
 */
export function readDaemonRecord(home: string): DaemonRecord | undefined {
  const file = daemonRecordFile(home);
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AuthsomeError('HomeNotUsable', `${file} cannot be read (${code ?? 'unknown reason'})`, {
      hint: `Look at it: ls -l ${shellWord(file)}`,
      cause: error,
    });
  }
  try {
    const { mode, uid } = fstatSync(descriptor);
    const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o077) === 0);
    if (!isOurs) {
      throw new AuthsomeError('HomeNotUsable', `others can read or change ${file}`, {
        hint: `Run: chmod 600 ${shellWord(file)} && authsome daemon restart`,
      });
    }
    return parseRecord(readFileSync(descriptor, 'utf8'));
  } finally {
    closeSync(descriptor);
  }
}

function parseRecord(text: string): DaemonRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { v, api, url, pid, version, secret } = value as Partial<Record<keyof DaemonRecord, unknown>>;
  const isRecord =
    v === 1 &&
    typeof api === 'number' &&
    typeof url === 'string' &&
    /^http:\/\/[a-z0-9.:[\]-]+$/.test(url) &&
    Number.isSafeInteger(pid) &&
    typeof version === 'string' &&
    typeof secret === 'string' &&
    /^[A-Za-z0-9_-]{43}$/.test(secret);
  return isRecord ? (value as DaemonRecord) : undefined;
}
