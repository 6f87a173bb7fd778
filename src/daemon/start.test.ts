import { mkdirSync, rmSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AuthsomeError } from '../errors.ts';
import { parseSettings } from '../settings.ts';
import { passphraseKey } from '../vault/index.ts';
import type { Daemon } from './contract.ts';
import { homeAt } from './home/index.ts';
import { startDaemon } from './start.ts';
import { type Fixture, openFixture } from './test-daemon.ts';

const logged: string[] = [];
let fixture: Fixture;
beforeEach(async () => {
  logged.length = 0;
  fixture = await openFixture();
  await fixture.call('GET', '/v1/whoami');
  fixture.daemon.stop('now');
  await fixture.daemon.stopped;
});
afterEach(() => fixture.close());

/** Another daemon in the fixture's home, at the address of the one that has stopped. */
function startAgain(masterKey: number): Promise<Daemon> {
  const settings = parseSettings({
    AUTHSOME_HOME: fixture.home,
    AUTHSOME_MASTER_KEY: Buffer.alloc(32, masterKey).toString('base64'),
    AUTHSOME_PORT: new URL(fixture.daemon.url).port,
  });
  const log = (message: string) => void logged.push(message);
  return startDaemon({
    settings,
    home: homeAt(settings.home),
    environment: {},
    passphrase: passphraseKey({ typed: undefined, file: undefined }),
    version: '0.0.0-test',
    log: { error: log, warn: log, info: log, debug: log },
    addressInUse: async (host) => new AuthsomeError('AddressInUse', `address already in use: ${host}`),
    nowMs: Date.now,
    randomBytes: (size) => crypto.getRandomValues(new Uint8Array(size)),
  });
}

/** How many servers listen in this process: the API's and the proxy's are among them. */
function listening(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
}

/** SQLite empties its write-ahead log when a database is closed. */
function unsavedBytes(): number {
  return statSync(`${homeAt(fixture.home).databaseFile}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

it('leaves nothing open when the vault cannot be opened', async () => {
  const before = listening();
  await expect(startAgain(8)).rejects.toMatchObject({ code: 'WrongMasterKey' });
  expect(listening()).toBe(before);
  expect(unsavedBytes()).toBe(0);
  await expect(fetch(`${fixture.daemon.url}/health`)).rejects.toThrow();
  expect(logged).toEqual([]);
});

it('leaves nothing open when its last step fails, and starts at the same address once it can', async () => {
  const { daemonFile } = homeAt(fixture.home);
  mkdirSync(daemonFile);
  const before = listening();
  await expect(startAgain(7)).rejects.toMatchObject({ code: 'HomeNotUsable' });
  expect(listening()).toBe(before);
  expect(unsavedBytes()).toBe(0);
  rmSync(daemonFile, { recursive: true });
  const daemon = await startAgain(7);
  expect(daemon.url).toBe(fixture.daemon.url);
  expect(listening()).toBe(before + 2);
  expect(unsavedBytes()).toBeGreaterThan(0);
  daemon.stop('now');
  await daemon.stopped;
  expect(listening()).toBe(before);
});
