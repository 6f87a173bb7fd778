import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockFile } from './lock.ts';

it('lets one process at a time have the lock, and the next one after it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-lock-'));
  const file = join(directory, 'daemon.lock');
  const first = await lockFile(file);
  expect(first).toBeDefined();
  expect(await lockFile(file)).toBeUndefined();
  first?.release();
  const second = await lockFile(file);
  expect(second).toBeDefined();
  second?.release();
  rmSync(directory, { recursive: true });
});
