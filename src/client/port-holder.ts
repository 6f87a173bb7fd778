/**
 * Who listens on a port that the daemon wants, asked by commands. `daemon/home/other-daemon` asks a similar question
 * for the daemon itself. The two stay apart: a command must not load the daemon, nor the daemon a client of itself.
 */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { basename } from 'node:path';
import { AuthsomeError } from '../errors.ts';

/** The process that listens on a port, as far as the platform shows it. */
export interface PortHolder {
  readonly pid: number;
  /** The program's name without its arguments, which may contain secrets. */
  readonly command: string;
}

/**
 * The error for a port that another process uses: its name where the platform shows it, and what to do.
 * A daemon for another home gets another hint, because it must not be killed.
 */
export async function describeHolder(host: string, port: number): Promise<AuthsomeError> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const [holder, isAuthsome] = await Promise.all([findPortHolder(port), isAuthsomeDaemon(host, port)]);
  const who = holder === undefined ? '' : ` (pid ${holder.pid}, ${holder.command})`;
  const other = `AUTHSOME_PORT=${port === 65_535 ? port - 1 : port + 1}`;
  const hint = isAuthsome
    ? `The authsome daemon for another home uses it${who}. Use another port for this home: export ${other}`
    : [
        holder === undefined
          ? 'Find the process that uses it, and stop it:'
          : `It is in use by pid ${holder.pid} (${holder.command}). Check that process, and stop it:`,
        `  lsof -nP -iTCP:${port} -sTCP:LISTEN`,
        `  kill ${holder?.pid ?? '<PID>'}`,
        `Or use another port: export ${other}`,
      ].join('\n');
  return new AuthsomeError('AddressInUse', `address already in use: ${address}`, { hint });
}

/** The process that listens on `port`; `undefined` where the platform does not show it. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  return process.platform === 'linux' ? (holderInProc(port) ?? holderByLsof(port)) : holderByLsof(port);
}

function holderInProc(port: number): PortHolder | undefined {
  const inodes = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => listeningInodes(file, port)));
  if (inodes.size === 0) return undefined;
  for (const name of entriesOf('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    for (const descriptor of entriesOf(`/proc/${name}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${name}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode)) {
        return { pid: Number(name), command: commandOf(`/proc/${name}`) };
      }
    }
  }
  return undefined;
}

/** Columns of `/proc/net/tcp` (proc(5)): local address, remote address, state, …, inode as the tenth. */
function listeningInodes(file: string, port: number): readonly string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return textOf(file)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(wanted) === true && columns[3] === '0A')
    .flatMap((columns) => columns[9] ?? []);
}

function commandOf(directory: string): string {
  const program = textOf(`${directory}/cmdline`).split('\0')[0] ?? '';
  return printable(basename(program) || textOf(`${directory}/comm`).trim());
}

function holderByLsof(port: number): Promise<PortHolder | undefined> {
  return new Promise((resolve) => {
    const args = ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'];
    execFile('lsof', args, { timeout: 3_000 }, (_error, stdout) => {
      const pid = /^p(\d+)$/m.exec(stdout)?.[1];
      const command = /^c(.+)$/m.exec(stdout)?.[1];
      resolve(pid === undefined ? undefined : { pid: Number(pid), command: printable(command ?? '') });
    });
  });
}

/** Whether `/health` there gives the response that only an authsome daemon gives. */
export function isAuthsomeDaemon(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: '/health', agent: false, timeout: 1_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 4_096) response.destroy();
      });
      response.on('close', () => resolve(/"service"\s*:\s*"authsome"/.test(text)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/** A name that cannot move the cursor of the terminal it is shown on. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '').slice(0, 64) || 'unknown command';
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
