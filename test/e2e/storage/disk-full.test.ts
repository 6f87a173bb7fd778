import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleProgram, type Program } from './child.ts';

let filler: Program;
let directory: string;
let disk: string;

beforeAll(async () => {
  filler = await bundleProgram(`
    writeFileSync(path + '.ballast', Buffer.alloc(300_000));
    const blob = 'x'.repeat(20_000);
    const record = (n) => ({ kind: 'connection', name: 'n/' + n, fields: {}, secrets: { token: blob + n } });
    let stored = 0;
    const fill = async () => {
      for (;;) {
        await vault.write(record(stored), 0);
        stored += 1;
      }
    };
    const full = await fill().catch((error) => error);
    say(full.code + ' ' + full.message);
    trail.append({ event: 'run.started', outcome: 'ok', detail: 'y'.repeat(50_000) });
    say(await trail.flush().then(() => 'flushed', (error) => error.code));
    say('pending ' + trail.pending);
    for (let n = 0; n < stored; n++) {
      const found = await vault.read('connection', 'n/' + n);
      if (found?.secrets.token !== blob + n) say('lost ' + n);
    }
    say((await vault.read('connection', 'n/' + stored)) === undefined ? 'complete' : 'half a record');
    rmSync(path + '.ballast');
    await vault.write(record(stored), 0);
    await trail.flush();
    say('written again, pending ' + trail.pending + ', broken ' + (await trail.firstBrokenLink()));
    await storage.close();
    process.exit(0);
  `);
  directory = mkdtempSync(join(tmpdir(), 'authsome-full-'));
  disk = join(directory, 'disk');
  mkdirSync(disk);
});

afterAll(() => {
  filler.remove();
  rmSync(directory, { recursive: true });
});

describe('a full disk', () => {
  it('is reported, loses nothing that was stored, and is over once there is space', async () => {
    // A mount of its own in a namespace of its own: nothing to clean up, and no rights needed but to make one.
    const child = spawnSync(
      'unshare',
      [
        '--user',
        '--map-root-user',
        '--mount',
        'sh',
        '-c',
        'mount -t tmpfs -o size=2m tmpfs "$1" && shift && exec "$@"',
        'sh',
        disk,
        ...filler.command([join(disk, 'authsome.db')]),
      ],
      { encoding: 'utf8' },
    );
    expect(child.stderr).toBe('');
    expect(child.stdout.trim().split('\n')).toEqual([
      `StorageFull no space left on the disk holding ${join(disk, 'authsome.db')}`,
      'StorageFull',
      'pending 1',
      'complete',
      'written again, pending 0, broken undefined',
    ]);
  });
});
