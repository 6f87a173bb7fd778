import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStorage, type Storage } from '../../storage/index.ts';
import { openVault, type Vault } from '../../vault/index.ts';
import { createConnections } from '../connections.ts';
import {
  startAuthorizationServer,
  type TestAuthorizationServer,
} from '../testing/test-authorization-server.ts';
import { acmeKey, openServerFixture, signIn, statusOf, tokenRequests } from '../testing/test-sign-in.ts';

const hourMs = 3_600_000;

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

describe('daemons that share a database', () => {
  let directory: string;
  const storages: Storage[] = [];
  const masterKey = randomBytes(32);

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'authsome-connections-'));
  });
  afterEach(async () => {
    for (const storage of storages.splice(0)) await storage.close();
    rmSync(directory, { recursive: true });
  });

  async function vaultOnDisk(): Promise<Vault> {
    const storage = await openStorage(join(directory, 'authsome.db'));
    storages.push(storage);
    return await openVault({ storage, masterKey, vaultId: 'vault', randomBytes, nowMs: Date.now });
  }

  it('refresh once, however many ask at the moment of expiry', async () => {
    const { options, clock } = openServerFixture(server, { vault: await vaultOnDisk() });
    const first = createConnections(options);
    await signIn(server, first);
    const others = await Promise.all(
      Array.from({ length: 4 }, async () => createConnections({ ...options, vault: await vaultOnDisk() })),
    );
    const daemons = [first, ...others];
    for (const daemon of daemons) await daemon.credentials.acquire(acmeKey);
    clock.nowMs += hourMs;
    const asked = await tokenRequests(server, async () => {
      const lives = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          daemons[index % daemons.length]?.credentials.acquire(acmeKey),
        ),
      );
      const secrets = new Set(lives.map((live) => live?.secret));
      expect(secrets.size).toBe(1);
      expect(await server.accepts([...secrets][0] ?? '')).toBe(true);
    });
    expect(asked).toEqual([200]);

    clock.nowMs += hourMs;
    const again = await tokenRequests(server, () =>
      Promise.all(daemons.map((daemon) => daemon.credentials.acquire(acmeKey))),
    );
    expect(again).toEqual([200]);
    expect(await statusOf(first)).toBe('connected');
  });

  it('keep a revocation that came while a refresh was under way', async () => {
    const { options, clock } = openServerFixture(server, { vault: await vaultOnDisk() });
    const refreshing = createConnections(options);
    await signIn(server, refreshing);
    const revoking = createConnections({ ...options, vault: await vaultOnDisk() });
    clock.nowMs += hourMs;
    const [, report] = await Promise.all([
      refreshing.credentials.acquire(acmeKey).catch(() => undefined),
      revoking.revoke('acme'),
    ]);
    expect(report.remote).toEqual({ default: 'revoked' });
    expect(await statusOf(revoking)).toBeUndefined();
    expect(await options.vault.read('connection', acmeKey)).toBeUndefined();
  });
});
