/** Files that cannot be read or written as usual: what is in them is never lost, and never shown. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, gone, openFixture } from '../support/fixture.ts';
import { fill, free, openSmallDisk } from '../support/small-disk.ts';

const key = `sk-proj-${'aB3dE6gH9j'.repeat(5)}`;
const other = `sk-proj-${'zY1xW4vU7t'.repeat(5)}`;
const text = `OPENAI_API_KEY=${key}`;

let fixture: Fixture;
let project: string;
const path = (name: string) => join(project, name);
const read = (name: string) => readFileSync(path(name), 'utf8');
const backups = () => readdirSync(join(fixture.home, 'backups')).filter((name) => name.endsWith('.json'));

beforeEach(async () => {
  fixture = await openFixture();
  project = join(fixture.directory, 'project');
  mkdirSync(project);
});
afterEach(async () => {
  for (const secret of [key, other]) expect(fixture.written.join('')).not.toContain(secret.slice(-20));
  await fixture.close();
});

describe('a disk that is full', () => {
  it('leaves the file as it is, or as it was rewritten, until there is space', async () => {
    const disk = await openSmallDisk(fixture);
    try {
      const content = async () => (await disk.sh('cat "$1"/.env')).stdout;
      const names = async () => (await disk.sh('ls -A "$1"')).stdout.trim().split('\n');
      const scan = (...args: string[]) => disk.authsome(['scan', ...args], {}, disk.path);
      await disk.sh(`printf %s '${text}' >"$1"/.env`);
      expect((await scan('--import')).code).toBe(0);

      await disk.sh(fill);
      const full = await scan('--rewrite');
      expect([full.code, full.stderr]).toEqual([9, expect.stringMatching(/no space left to write .*\.env/)]);
      expect([await content(), await names(), backups()]).toEqual([text, ['.env', 'ballast'], []]);

      await disk.sh(free);
      expect((await scan('--rewrite')).code).toBe(0);
      const rewritten = await content();
      expect(rewritten).toMatch(/^OPENAI_API_KEY=sk-proj-\w*phantom\w*$/);

      await disk.sh(fill);
      const kept = await scan('--undo');
      expect([kept.code, kept.stderr]).toEqual([9, expect.stringMatching(/no space left to write .*\.env/)]);
      expect([await content(), backups().length]).toEqual([rewritten, 1]);

      await disk.sh(free);
      expect((await scan('--undo')).code).toBe(0);
      expect([await content(), backups()]).toEqual([text, []]);
      expect(full.stdout + full.stderr + kept.stdout + kept.stderr).not.toContain(key.slice(-20));
    } finally {
      await disk.close();
    }
  });

  it('under the home takes nothing from the file either', async () => {
    const disk = await openSmallDisk(fixture);
    try {
      const home = { AUTHSOME_HOME: join(disk.path, 'home') };
      writeFileSync(path('.env'), text);
      expect((await disk.authsome(['scan', '--import'], home, project)).code).toBe(0);
      await disk.sh(fill);
      expect((await disk.authsome(['scan', '--rewrite'], home, project)).code).toBe(9);
      expect([read('.env'), readdirSync(project)]).toEqual([text, ['.env']]);
      await disk.sh(free);
      expect((await disk.authsome(['scan', '--rewrite'], home, project)).code).toBe(0);
      expect(read('.env')).not.toContain(key);
      expect((await disk.authsome(['scan', '--undo'], home, project)).code).toBe(0);
      expect(read('.env')).toBe(text);
      await disk.authsome(['daemon', 'stop'], home);
    } finally {
      await disk.close();
    }
  });
});

it('leaves a file in a directory that cannot be written as it is', async () => {
  const disk = await openSmallDisk(fixture);
  try {
    await disk.sh(`printf %s '${text}' >"$1"/.env; mount -o remount,ro "$1"`);
    const { code, stderr } = await disk.authsome(['scan', '--rewrite'], {}, disk.path);
    expect([code, stderr]).toEqual([4, expect.stringContaining('its directory is not writable')]);
    expect(stderr).toContain('Imported openai/default');
    expect([(await disk.sh('cat "$1"/.env')).stdout, backups()]).toEqual([text, []]);
  } finally {
    await disk.close();
  }
});

it('rewrites what it can beside a FIFO, 100 MB, a read-only file and one that is no JSON', async () => {
  writeFileSync(path('.env'), text);
  spawnSync('mkfifo', [path('.env.fifo')]);
  writeFileSync(path('.env.large'), '');
  truncateSync(path('.env.large'), 100 * 1024 * 1024);
  writeFileSync(path('.env.locked'), `${text}\n`);
  chmodSync(path('.env.locked'), 0o400);
  writeFileSync(path('.mcp.json'), `{"mcpServers":{"a":{"env":{"OPENAI_API_KEY":"${key}"`);
  const { code, stderr } = await fixture.authsome(['scan', '--rewrite'], { cwd: project });
  expect(code).toBe(4);
  expect(stderr).toContain(`Skipped: ${path('.env.fifo')} is not a regular file`);
  expect(stderr).toContain(`Skipped: ${path('.env.large')} is larger than 1 MiB`);
  expect(stderr).toContain(`Skipped: ${path('.mcp.json')} is not JSON`);
  expect(stderr).toContain(`${path('.env.locked')} is read-only`);
  expect(stderr).toContain('Rewrote .env: one value replaced');
  expect(read('.env')).not.toContain(key);
  expect([read('.env.locked'), read('.mcp.json')]).toEqual([`${text}\n`, expect.stringContaining(key)]);
  expect(backups()).toHaveLength(1);
  for (const file of ['.env.fifo', '.mcp.json']) {
    expect((await fixture.authsome(['scan', file], { cwd: project })).code).toBe(2);
  }
});

it('of two scans at once neither loses a file, and each key is one connection', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `.env.n${index}`);
  for (const name of names) writeFileSync(path(name), `${text}\nOPENAI_TOKEN=${other}`);
  const before = names.map(read);
  const scans = await Promise.all(
    Array.from({ length: 2 }, () => fixture.authsome(['scan', '--rewrite'], { cwd: project })),
  );
  for (const { code, stderr } of scans) {
    expect([0, 4]).toContain(code);
    if (code === 4) expect(stderr).toContain('was changed by another program');
  }
  for (const name of names) expect(read(name)).not.toMatch(/aB3dE6gH9j|zY1xW4vU7t/);
  expect(readdirSync(project).sort()).toEqual(names);
  const { providers } = await fixture.json(['list']);
  const openai = providers.find(({ name }: { name: string }) => name === 'openai');
  expect(openai.connections).toHaveLength(2);
  while (backups().length > 0) {
    expect((await fixture.authsome(['scan', '--undo'], { cwd: project })).code).toBe(0);
  }
  expect(names.map(read)).toEqual(before);
});

it('writes the same phantoms after the daemon was killed, and restores without it', async () => {
  writeFileSync(path('.env'), text);
  await fixture.json(['scan', '--import'], 0, { cwd: project });
  const kill = async () => {
    const pid = fixture.daemonPid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await gone(pid, 10_000);
  };
  await kill();
  await fixture.json(['scan', '--rewrite'], 0, { cwd: project });
  const rewritten = read('.env');
  await kill();
  expect(await fixture.json(['scan', '--undo'], 0, { cwd: project })).toMatchObject({
    restored: [path('.env')],
    rewrite: { number: 1 },
    left: 0,
  });
  expect(read('.env')).toBe(text);
  await fixture.json(['scan', '--rewrite'], 0, { cwd: project });
  expect(read('.env')).toBe(rewritten);
});

it('undoes rewrites one by one, from the latest, wherever they were', async () => {
  mkdirSync(path('a'));
  writeFileSync(path('.env'), text);
  writeFileSync(path('a/.env'), `OPENAI_API_KEY=${other}\n`);
  const scan = (args: readonly string[], cwd = project) => fixture.authsome(['scan', ...args], { cwd });
  expect((await scan(['--rewrite', '.env'])).stderr).toContain('This is rewrite 1.');
  const second = await scan(['--rewrite']);
  expect(second.stderr).toContain('This is rewrite 2.');
  expect(second.stderr).toContain('authsome run --connection openai=a -- <what you start>');
  const first = await scan(['--undo'], fixture.directory);
  expect(first.stderr).toMatch(
    /Restored .*\/a\/\.env\nUndid rewrite 2 of \d{4}-.*\. One more can be undone: /,
  );
  expect([read('a/.env'), read('.env')]).toEqual([
    `OPENAI_API_KEY=${other}\n`,
    expect.not.stringContaining(key),
  ]);
  expect((await scan(['--undo'])).stderr).toContain('No rewrite is left to undo.');
  expect(read('.env')).toBe(text);
  const none = await scan(['--undo']);
  expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('no rewrite is left to undo')]);
  expect(statSync(path('.env')).size).toBe(text.length);
  rmSync(path('a'), { recursive: true });
});
