import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestStorage } from '../../src/storage/test-storage.ts';
import { systemKeychain, unlockVault } from '../../src/vault/index.ts';

let directory: string;
let running: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-keychain-'));
});

afterEach(async () => {
  await closeDesktop();
  rmSync(directory, { recursive: true });
});

/** The environment of a desktop of our own: a session bus with GNOME's keyring on it. */
async function openDesktop({ unlocked = true } = {}): Promise<NodeJS.ProcessEnv> {
  const runtime = join(directory, 'runtime');
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const bus = spawn('dbus-daemon', ['--session', '--nofork', '--print-address'], {
    // Without a data directory the bus knows of no other keyring that it could start by itself.
    env: { PATH: process.env.PATH, HOME: directory, XDG_RUNTIME_DIR: runtime, XDG_DATA_DIRS: directory },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running.unshift(bus);
  const address = await new Promise<string>((resolve) => {
    bus.stdout.once('data', (line) => resolve(String(line).trim()));
  });
  const environment = {
    PATH: process.env.PATH,
    HOME: directory,
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: address,
  };
  const options = ['--foreground', '--components=secrets', ...(unlocked ? ['--unlock'] : [])];
  const keyring = spawn('gnome-keyring-daemon', options, {
    env: environment,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  running.unshift(keyring);
  keyring.stdin.end('a password');
  const question = ['org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'];
  for (;;) {
    const answer = spawnSync(
      'dbus-send',
      ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/org/freedesktop/DBus', ...question],
      { env: environment, encoding: 'utf8' },
    );
    if (answer.stdout.includes('true')) return environment;
    await sleep(50);
  }
}

async function closeDesktop(): Promise<void> {
  for (const child of running) {
    await new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve();
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
    });
  }
  running = [];
}

const keychainOf = (account: string, environment: NodeJS.ProcessEnv, timeoutMs = 10_000) =>
  systemKeychain({ account, environment, timeoutMs });

describe('the keychain', () => {
  it('stores one key for each home, and has them after a restart', async () => {
    let environment = await openDesktop();
    const [one, two] = [randomBytes(32), randomBytes(32)];
    const first = keychainOf('/home/a/.authsome', environment);
    expect(await first.read()).toBeUndefined();
    await first.store(one);
    await keychainOf('/home/b/.authsome', environment).store(two);
    await closeDesktop();

    environment = await openDesktop();
    expect(await keychainOf('/home/a/.authsome', environment).read()).toEqual(one);
    expect(await keychainOf('/home/b/.authsome', environment).read()).toEqual(two);
    expect(await keychainOf('/home/c/.authsome', environment).read()).toBeUndefined();

    expect(await keychainOf('/home/a/.authsome', environment).remove()).toBe(true);
    expect(await keychainOf('/home/a/.authsome', environment).remove()).toBe(false);
    expect(await keychainOf('/home/a/.authsome', environment).read()).toBeUndefined();
    expect(await keychainOf('/home/b/.authsome', environment).read()).toEqual(two);
  });

  it('has the key of a new vault, so that no file does, and a start without it makes no other', async () => {
    let environment = await openDesktop();
    const server = join(directory, 'server');
    const { database, storage } = await openTestStorage(join(server, 'authsome.db'));
    const unlock = (within: NodeJS.ProcessEnv) =>
      unlockVault({
        storage,
        vaultId: 'vault-1',
        masterKey: undefined,
        masterKeyFile: undefined,
        serverDirectory: server,
        keychain: keychainOf(directory, within, 3_000),
        randomBytes,
        nowMs: Date.now,
      });
    const record = {
      kind: 'client',
      name: 'github',
      fields: {},
      secrets: { client_secret: 's3cret' },
    } as const;
    const first = await unlock(environment);
    await first.vault.write(record, 0);
    expect(first.keySource).toBe('keychain');
    expect(existsSync(join(server, 'master.key'))).toBe(false);
    const second = await unlock(environment);
    expect(await second.vault.read('client', 'github')).toMatchObject({ secrets: record.secrets });

    const gone = {
      ...environment,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(directory, 'nobody')}`,
    };
    const lost = { code: 'WrongMasterKey', message: expect.stringContaining('did not respond') };
    await expect(unlock(gone)).rejects.toMatchObject(lost);
    await closeDesktop();
    environment = await openDesktop({ unlocked: false });
    await expect(unlock(environment)).rejects.toMatchObject(lost);
    expect(existsSync(join(server, 'master.key'))).toBe(false);
    database.close();
  });

  it('that accepts and never responds is given up on, and blocks nothing until then', async () => {
    const path = join(directory, 'silent');
    const silent = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 20);
    const keychain = keychainOf(
      directory,
      { PATH: process.env.PATH, DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` },
      1_500,
    );
    await expect(keychain.read()).rejects.toThrow('did not respond');
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(10);
    await new Promise((resolve) => silent.close(resolve));
  });

  it('that is missing stores nothing: no other keyring replaces it', async () => {
    const nowhere = { PATH: process.env.PATH, HOME: directory };
    const before = kernelKeys();
    await expect(keychainOf(directory, nowhere).store(randomBytes(32))).rejects.toThrow();
    await expect(keychainOf(directory, nowhere).read()).rejects.toThrow();
    expect(kernelKeys()).toEqual(before);
    expect(readdirSync(directory)).toEqual([]);
  });
});

/** What the kernel keyring has for programs of this kind. */
function kernelKeys(): readonly string[] {
  if (!existsSync('/proc/keys')) return [];
  const lines = readFileSync('/proc/keys', 'utf8').split('\n');
  return lines.filter((line) => /authsome|keyring-rs/.test(line));
}
