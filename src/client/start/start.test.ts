import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError } from '../../errors.ts';
import { loadIdentity } from '../../identity/index.ts';
import { parseSettings } from '../../settings.ts';
import { createClient } from '../client.ts';
import { ensureDaemon, findDaemon, stopDaemon } from '../daemon.ts';
import { daemonEnvironment, isInsideRun, leftOutNote } from '../daemon-environment.ts';
import type { DaemonOptions } from '../daemon-options.ts';
import { daemonRecordFile, readDaemonRecord } from '../daemon-record.ts';
import { findPortHolder } from '../port-holder.ts';
import { killHanging } from '../stop.ts';

/** A program that behaves as `daemon serve` does, as far as its starter can see. */
const program = `
import { createHmac, randomBytes } from 'node:crypto';
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';

const home = process.env.AUTHSOME_HOME;
const mode = process.env.AUTHSOME_TEST_MODE;
appendFileSync(home + '/starts', process.pid + ' ' + process.argv.slice(2).join(' ') + '\\n');
writeFileSync(home + '/environment', JSON.stringify(process.env));
const fail = (error, message) => {
  console.error(JSON.stringify({ level: 'info', error: 'not the last word' }));
  console.error(JSON.stringify({ v: 1, error, message, hint: 'Do this.' }));
  process.exit(9);
};
if (mode === 'broken') fail('WrongMasterKey', 'the master key does not open this vault');
if (mode === 'mute') process.exit(7);
const secret = randomBytes(32);
const record = home + '/server/daemon.json';
const server = createServer((request, response) => {
  if (request.url === '/health') return response.end('{"v":1,"service":"authsome","status":"ok"}');
  const proof = createHmac('sha256', secret).update('authsome-proof\\n' + request.headers.signature);
  response.setHeader('authsome-proof', proof.digest('base64url'));
  if (request.url !== '/v1/daemon/stop') return response.end('{"v":1}');
  response.end('{"v":1,"stopping":true,"live_runs":0}', () => {
    rmSync(record);
    process.exit(0);
  });
});
server.on('error', () => fail('AddressInUse', 'address already in use'));
server.listen(Number(process.env.AUTHSOME_PORT), '127.0.0.1', () => {
  const document = {
    v: 1, api: 1, url: 'http://127.0.0.1:' + server.address().port, pid: process.pid,
    version: process.env.AUTHSOME_TEST_VERSION ?? '1.0.0', secret: secret.toString('base64url'),
  };
  writeFileSync(record + '.tmp', JSON.stringify(document), { mode: 0o600 });
  renameSync(record + '.tmp', record);
});
`;

let base: string;
let home: string;
let port: number;
const strangers: Server[] = [];

beforeEach(async () => {
  base = mkdtempSync(join(tmpdir(), 'authsome-start-'));
  home = join(base, 'home');
  writeFileSync(join(base, 'daemon.mjs'), program);
  port = await freePort();
});
afterEach(async () => {
  const record = readDaemonRecord(home);
  if (record !== undefined) await stopDaemon(optionsFor(), 'now');
  for (const server of strangers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(base, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return free;
}

async function stranger(answer: string): Promise<void> {
  const server = createServer((_, response) => response.end(answer)).listen(port, '127.0.0.1');
  strangers.push(server);
  await once(server, 'listening');
}

function optionsFor(environment: Record<string, string> = {}, version = '1.0.0'): DaemonOptions {
  return {
    settings: parseSettings({ AUTHSOME_HOME: home, AUTHSOME_PORT: String(port) }),
    identity: loadIdentity({ directory: '', key: Buffer.alloc(32, 3).toString('base64'), randomBytes }),
    version,
    onNewDaemon: () => {},
    launch: {
      execPath: process.execPath,
      entry: join(base, 'daemon.mjs'),
      environment: { AUTHSOME_PORT: String(port), ...environment },
    },
    now: Date.now,
    randomBytes,
  };
}

function starts(): readonly string[] {
  return readFileSync(join(home, 'starts'), 'utf8').trim().split('\n');
}

async function failure(attempt: Promise<unknown>): Promise<AuthsomeError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AuthsomeError);
  return error as AuthsomeError;
}

describe('a daemon that is not running', () => {
  it('is started in a private home and then found', async () => {
    expect(await findDaemon(optionsFor())).toBeUndefined();
    expect(existsSync(home)).toBe(false);
    const record = await ensureDaemon(optionsFor());
    expect(record.url).toBe(`http://127.0.0.1:${port}`);
    expect(starts()).toEqual([`${record.pid} daemon serve`]);
    for (const directory of ['', 'server', 'logs'])
      expect(statSync(join(home, directory)).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'logs', 'daemon.log')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(home, 'server', 'start.lock'))).toBe(false);
    expect((await findDaemon(optionsFor()))?.pid).toBe(record.pid);
    expect((await ensureDaemon(optionsFor())).pid).toBe(record.pid);
    expect(starts()).toHaveLength(1);
  });

  it('is started once by many callers at once', async () => {
    const records = await Promise.all(Array.from({ length: 8 }, () => ensureDaemon(optionsFor())));
    expect(new Set(records.map(({ pid }) => pid)).size).toBe(1);
    expect(starts()).toHaveLength(1);
  });

  it('is started although a process died and left its lock, or a daemon left its record', async () => {
    const first = await ensureDaemon(optionsFor());
    process.kill(first.pid, 'SIGKILL');
    writeFileSync(join(home, 'server', 'start.lock'), String(first.pid));
    const client = createClient(optionsFor());
    await client.list();
    expect(readDaemonRecord(home)?.pid).not.toBe(first.pid);
    expect(starts()).toHaveLength(2);
  });

  it.each([
    ['nothing, since its holder was killed before it could', ''],
    ['the number of a process that was given to another one since', String(process.pid)],
  ])('is started although an old lock contains %s', async (_, text) => {
    mkdirSync(join(home, 'server'), { recursive: true, mode: 0o700 });
    const lock = join(home, 'server', 'start.lock');
    writeFileSync(lock, text);
    utimesSync(lock, 1, 1);
    await ensureDaemon(optionsFor());
    expect(existsSync(lock)).toBe(false);
  });

  it('is started although an old lock is a pipe', async () => {
    mkdirSync(join(home, 'server'), { recursive: true, mode: 0o700 });
    const lock = join(home, 'server', 'start.lock');
    spawnSync('mkfifo', ['-m', '600', lock]);
    utimesSync(lock, 1, 1);
    await ensureDaemon(optionsFor());
    expect(existsSync(lock)).toBe(false);
  });

  it('inherits what it needs, and no key of a caller', async () => {
    const environment = {
      HTTPS_PROXY: 'http://proxy:1',
      AUTHSOME_IDENTITY: 'ci',
      AUTHSOME_IDENTITY_KEY: 'hunter2',
      OPENAI_API_KEY: 'hunter2',
    };
    await ensureDaemon(optionsFor(environment));
    const inherited = readFileSync(join(home, 'environment'), 'utf8');
    expect(JSON.parse(inherited)).toMatchObject({ AUTHSOME_HOME: home, HTTPS_PROXY: 'http://proxy:1' });
    expect(inherited).not.toContain('hunter2');
    expect(daemonEnvironment({ lc_all: 'C', X: '1', AUTHSOME_HOME: '/other' }, '/h', false)).toEqual({
      lc_all: 'C',
      AUTHSOME_HOME: '/h',
    });
  });

  it('gets the files that a person named from where they are', () => {
    const named = { AUTHSOME_PASSPHRASE_FILE: 'phrase', SSL_CERT_FILE: '/etc/roots.pem', AUTHSOME_PORT: '7' };
    expect(daemonEnvironment(named, '/h', false)).toMatchObject({
      AUTHSOME_PASSPHRASE_FILE: join(process.cwd(), 'phrase'),
      SSL_CERT_FILE: '/etc/roots.pem',
      AUTHSOME_PORT: '7',
    });
  });

  it('does not inherit the proxy of the run that an agent starts it from, nor what the agent sets', async () => {
    const ofRun = {
      HTTPS_PROXY: 'http://r:p@127.0.0.1:1',
      NODE_EXTRA_CA_CERTS: '/h/runs/r1/ca.pem',
      AUTHSOME_RESOLVE: 'api.example:443:127.0.0.1:9',
      AUTHSOME_EXTRA_CA_CERTS: '/tmp/agent.pem',
      AUTHSOME_ALLOW_UID: '1001',
      AUTHSOME_HOST: '0.0.0.0',
      LANG: 'C',
    };
    expect(await isInsideRun(ofRun, '/h')).toBe(true);
    expect(leftOutNote(ofRun)).toBe(
      'Ignored, since the daemon starts from inside of a run: AUTHSOME_RESOLVE, AUTHSOME_EXTRA_CA_CERTS, AUTHSOME_ALLOW_UID, AUTHSOME_HOST.',
    );
    expect(daemonEnvironment(ofRun, '/h', true)).toEqual({ LANG: 'C', AUTHSOME_HOME: '/h' });
    const ofPerson = { HTTPS_PROXY: 'http://corp:1', NODE_EXTRA_CA_CERTS: '/etc/corp.pem' };
    expect(leftOutNote(ofPerson)).toBeUndefined();
    expect(daemonEnvironment(ofPerson, '/h', false)).toMatchObject(ofPerson);
  });
});

describe('a daemon that cannot start', () => {
  it('has its own error shown to the user', async () => {
    const error = await failure(ensureDaemon(optionsFor({ AUTHSOME_TEST_MODE: 'broken' })));
    expect(error).toMatchObject({
      code: 'WrongMasterKey',
      message: 'the master key does not open this vault',
      hint: 'Do this.',
    });
    expect(existsSync(join(home, 'server', 'start.lock'))).toBe(false);
  });

  it('that said nothing is not given the error of the previous one', async () => {
    await failure(ensureDaemon(optionsFor({ AUTHSOME_TEST_MODE: 'broken' })));
    const error = await failure(ensureDaemon(optionsFor({ AUTHSOME_TEST_MODE: 'mute' })));
    expect(error.code).toBe('DaemonUnavailable');
    expect(error.message).toContain('exit code 7');
    expect(error.hint).toContain('authsome daemon logs');
  });

  it('says so when its log cannot be written, and writes to no other file', async () => {
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
    const elsewhere = join(base, 'elsewhere');
    writeFileSync(elsewhere, 'kept');
    symlinkSync(elsewhere, join(home, 'logs', 'daemon.log'));
    await expect(ensureDaemon(optionsFor())).rejects.toMatchObject({
      code: 'HomeNotUsable',
      message: expect.stringContaining('daemon.log is a symbolic link'),
    });
    expect(readFileSync(elsewhere, 'utf8')).toBe('kept');
  });

  it('reports a log that is a pipe without a reader', async () => {
    mkdirSync(join(home, 'logs'), { recursive: true, mode: 0o700 });
    const log = join(home, 'logs', 'daemon.log');
    spawnSync('mkfifo', ['-m', '600', log]);
    await expect(ensureDaemon(optionsFor())).rejects.toMatchObject({
      code: 'HomeNotUsable',
      message: `${log} is not a file`,
      hint: `Check what it is, and move it away: ls -ld ${log}`,
    });
    expect(existsSync(join(home, 'starts'))).toBe(false);
    expect(existsSync(join(home, 'server', 'start.lock'))).toBe(false);
  });

  it('says so when the home cannot be made', async () => {
    writeFileSync(home, 'a file');
    const error = await failure(ensureDaemon(optionsFor()));
    expect(error.code).toBe('HomeNotUsable');
    rmSync(home);
  });
});

describe('a port that is in use', () => {
  it('by a stranger is reported in the words of the manual, with the stranger’s pid', async () => {
    await stranger('<html>');
    const error = await failure(ensureDaemon(optionsFor()));
    expect(error.code).toBe('AddressInUse');
    expect(error.message).toBe(`address already in use: 127.0.0.1:${port}`);
    expect(error.hint).toContain(`kill ${process.pid}`);
    expect(error.hint).toContain(`AUTHSOME_PORT=${port + 1}`);
  });

  it('by the daemon for another home gets no hint to kill it', async () => {
    await stranger('{"v":1,"service":"authsome","status":"ok"}');
    const error = await failure(ensureDaemon(optionsFor()));
    expect(error.message).toBe(`address already in use: 127.0.0.1:${port}`);
    expect(error.hint).toContain('another home');
    expect(error.hint).toContain(`AUTHSOME_PORT=${port + 1}`);
    expect(error.hint).not.toContain('kill ');
  });

  it('by nobody has no holder', async () => {
    expect(await findPortHolder(port)).toBeUndefined();
  });
});

describe('a daemon of another version', () => {
  it('is replaced when it has no runs', async () => {
    const old = await ensureDaemon(optionsFor({ AUTHSOME_TEST_VERSION: '0.9.0' }));
    expect(old.version).toBe('0.9.0');
    await createClient(optionsFor()).list();
    const now = readDaemonRecord(home);
    expect(now?.version).toBe('1.0.0');
    expect(now?.pid).not.toBe(old.pid);
  });
});

describe('stopping', () => {
  it('waits until the daemon has ended, and finds nothing to stop the second time', async () => {
    const record = await ensureDaemon(optionsFor());
    expect(await stopDaemon(optionsFor(), 'now')).toEqual({ v: 1, stopping: true, live_runs: 0 });
    expect(existsSync(daemonRecordFile(home))).toBe(false);
    expect(await findPortHolder(port)).toBeUndefined();
    expect(record.pid).toBeGreaterThan(0);
    expect(await stopDaemon(optionsFor(), 'now')).toBeUndefined();
  });

  it('kills a daemon that hangs, but no process that merely has its number', async () => {
    const record = await ensureDaemon(optionsFor());
    const elsewhere = { ...record, url: `http://127.0.0.1:${await freePort()}` };
    expect(await killHanging(elsewhere, home)).toBe(false);
    expect(await killHanging({ ...record, pid: process.pid }, home)).toBe(false);
    process.kill(record.pid, 'SIGSTOP');
    expect(await killHanging(record, home)).toBe(true);
    expect((await ensureDaemon(optionsFor())).pid).not.toBe(record.pid);
  });
});
