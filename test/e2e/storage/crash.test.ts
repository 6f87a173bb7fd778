import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openAuditTrail } from '../../../src/audit/index.ts';
import { openTestStorage } from '../../../src/storage/test-storage.ts';
import { openVault } from '../../../src/vault/index.ts';
import { bundleProgram, type Program } from './child.ts';

let writer: Program;
let directory: string;
let path: string;

beforeAll(async () => {
  // Says each version once it is stored; its two secrets and its field always carry the same number.
  writer = await bundleProgram(`
    let version = (await vault.read('connection', 'github/default'))?.version ?? 0;
    for (;;) {
      const next = String(version + 1);
      const secrets = { access_token: 'access-' + next, refresh_token: 'refresh-' + next + 'x'.repeat(4000) };
      const written = await vault.write({ kind: 'connection', name: 'github/default', fields: { next }, secrets }, version);
      version = written.version;
      trail.append({ event: 'token.refreshed', outcome: 'ok', detail: next });
      await trail.flush();
      say(next);
    }
  `);
});

afterAll(() => writer.remove());

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'authsome-crash-'));
  path = join(directory, 'authsome.db');
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('a process killed while it writes', () => {
  it('leaves every record complete, old or new, and loses nothing that it reported', async () => {
    for (let round = 0; round < 12; round++) {
      const child = writer.start([path]);
      let reported = Number(await child.line());
      const follow = (async () => {
        for (let line = await child.line(); line !== undefined; line = await child.line())
          reported = Number(line);
      })();
      // The moment is what differs from round to round.
      await sleep(randomBytes(1)[0] ?? 0);
      child.process.kill('SIGKILL');
      expect(await child.ended).toBe('SIGKILL');
      await follow;

      const { database, storage } = await openTestStorage(path);
      const options = { randomBytes, nowMs: Date.now };
      const vault = await openVault({
        ...options,
        storage,
        masterKey: Buffer.alloc(32, 7),
        vaultId: 'vault-1',
      });
      const record = await vault.read('connection', 'github/default');
      const version = record?.version ?? 0;
      expect([reported, reported + 1]).toContain(version);
      expect(record).toMatchObject({
        fields: { next: String(version) },
        secrets: {
          access_token: `access-${version}`,
          refresh_token: `refresh-${version}${'x'.repeat(4_000)}`,
        },
      });
      const trail = openAuditTrail({ ...options, table: storage.audit });
      expect(await trail.firstBrokenLink()).toBeUndefined();
      const details = (await trail.recent({ limit: 1_000_000 })).map(
        (event) => 'detail' in event && event.detail,
      );
      expect(details).toContain(String(reported));
      expect(database.one('PRAGMA integrity_check')).toEqual({ integrity_check: 'ok' });
      database.close();
    }
  });
});
