import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { readPrivateFile } from '../private-files/index.ts';
import type { ApiVersion, DaemonRecord } from './wire.ts';

/** The version of the API that this client speaks; a daemon of another one is no use to it. */
export const apiVersion: ApiVersion = 1;

export function daemonRecordFile(home: string): string {
  return join(home, 'server', 'daemon.json');
}

/**
 * The home's record of its daemon; `undefined` when there is no readable one. Only a proof shows whether that daemon is
 * running. Throws `HomeNotUsable` for a file that others may have written or read.
 */
export function readDaemonRecord(home: string): DaemonRecord | undefined {
  const file = daemonRecordFile(home);
  try {
    const text = readPrivateFile(file);
    return text === undefined ? undefined : parseRecord(text);
  } catch (error) {
    if (!(error instanceof AuthsomeError)) throw error;
    // A process that read the secret can pose as that daemon until the next one starts.
    const hint = `${error.hint}\nThen: authsome daemon restart`;
    throw new AuthsomeError(error.code, error.message, { hint, cause: error });
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
