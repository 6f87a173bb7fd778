/** Leaving: what is on the machine is said, and removed when that is said, and nothing else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme, entry, isAlive } from '../support/fixture.ts';

let fixture: Acme;
beforeEach(async () => {
  fixture = await createAcme();
});
afterEach(() => fixture.close());

const isGone = async (token: string) => !(await fixture.service.authorization.accepts(token));

describe('uninstall', () => {
  it('says what there is and removes nothing where nobody says yes', async () => {
    await connectPixel(fixture);
    const found = await fixture.json(['uninstall']);
    expect(found).toMatchObject({
      v: 1,
      home: fixture.home,
      removed: false,
      daemon: { url: fixture.baseUrl, pid: fixture.daemonPid(), live_runs: 0 },
      keychain: false,
      connections: [{ provider: 'pixel', connection: 'default' }],
      remote: {},
      rewritten_files: [],
      kept: [],
      package: expect.stringMatching(/^npm uninstall -g /),
    });
    expect(found.bytes).toBeGreaterThan(100_000);
    const text = await fixture.authsome(['uninstall']);
    expect(text.stdout).toMatch(/^ {2}a connection, whose grant lives on at the provider: pixel\/default$/m);
    expect(text.stderr).toContain('Nothing was removed.');
    expect(await fixture.json(['get', 'pixel'])).toMatchObject({ status: 'connected' });
  });

  it('revokes, ends the daemon and removes the home, and leaves what is not authsome’s', async () => {
    await connectAcme(fixture);
    await connectPixel(fixture);
    const { accessToken = '' } = fixture.service.authorization.issued[0] ?? {};
    const pid = fixture.daemonPid() ?? 0;
    const mine = join(fixture.home, 'server/mine.txt');
    writeFileSync(mine, 'mine', { mode: 0o600 });
    const removed = await fixture.json(['uninstall', '--yes']);
    expect(removed).toMatchObject({
      removed: true,
      remote: { 'acme/default': 'revoked', 'pixel/default': 'unsupported' },
      kept: [mine],
    });
    expect(await isGone(accessToken)).toBe(true);
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(fixture.home, { recursive: true }).map(String).sort()).toEqual([
      'server',
      'server/mine.txt',
    ]);
    expect(readFileSync(mine, 'utf8')).toBe('mine');
    const again = await fixture.json(['uninstall', '--yes']);
    expect(again).toMatchObject({ removed: false, files: 0, daemon: null });
    // It asked no daemon, and so started none.
    expect(fixture.daemonPid()).toBeUndefined();
  });

  it('removes nothing while a run is live, unless it may end it', async () => {
    await connectPixel(fixture);
    const running = fixture.startAuthsome(['run', '--', 'sh', '-c', 'echo up; read line'], { stdin: 'open' });
    await running.seen('stdout', /up/);
    expect(await fixture.json(['uninstall', '--yes'], 4)).toMatchObject({
      error: 'OperationNotAllowed',
      message: 'nothing was removed, since a run is live',
      hint: expect.stringContaining('authsome uninstall --force'),
    });
    expect(await fixture.json(['get', 'pixel'])).toMatchObject({ status: 'connected' });
    expect(await fixture.json(['uninstall', '--yes', '--force'])).toMatchObject({ removed: true, kept: [] });
    expect(existsSync(fixture.home)).toBe(false);
    running.type('go\n');
    await running.ended;
  });

  it('leaves a vault that does not open, unless its grants may stay', async () => {
    await connectPixel(fixture);
    await fixture.authsome(['daemon', 'stop']);
    const env = { AUTHSOME_MASTER_KEY: Buffer.alloc(32, 1).toString('base64') };
    expect(await fixture.json(['uninstall'], 0, { env })).toMatchObject({
      removed: false,
      connections: null,
    });
    expect(await fixture.json(['uninstall', '--yes'], 9, { env })).toMatchObject({
      error: 'WrongMasterKey',
      message: expect.stringMatching(/^nothing was removed, since its connections cannot be revoked: /),
      hint: expect.stringContaining('authsome uninstall --yes --keep-grants'),
    });
    expect(await fixture.json(['get', 'pixel'])).toMatchObject({ status: 'connected' });
    await fixture.authsome(['daemon', 'stop']);
    const removed = await fixture.json(['uninstall', '--yes', '--keep-grants'], 0, { env });
    expect(removed).toMatchObject({ removed: true, kept: [], remote: {} });
    expect(existsSync(fixture.home)).toBe(false);
  });

  it('is refused inside of a run, which is told to ask its person', async () => {
    await connectPixel(fixture);
    for (const more of [[], ['--force'], ['--force', '--keep-grants']]) {
      const inner = [process.execPath, entry, 'uninstall', '--yes', '--json', ...more];
      const run = await fixture.authsome(['run', '--', ...inner]);
      expect(run.code).toBe(12);
      expect(JSON.parse(run.stdout)).toMatchObject({
        error: 'DeniedInRun',
        hint: expect.stringMatching(/in a terminal of their own: authsome uninstall --yes/),
      });
    }
    expect(await fixture.json(['get', 'pixel'])).toMatchObject({ status: 'connected' });
  });

  it('asks twice on a terminal, and a no to the second leaves the grants as well', async () => {
    await connectAcme(fixture);
    const { accessToken = '' } = fixture.service.authorization.issued[0] ?? {};
    const ask = async (answers: readonly string[]) => {
      const running = fixture.startOnTerminal(['uninstall']);
      await running.seen('stdout', /Revoke the connections at their providers first\? \[y\/N\] $/);
      running.type(`${answers[0]}\r`);
      await running.seen('stdout', /Remove all of this from this machine\? \[y\/N\] $/);
      running.type(`${answers[1]}\r`);
      return running.ended;
    };
    expect((await ask(['y', ''])).stdout).toContain('Nothing was removed.');
    expect(await isGone(accessToken)).toBe(false);
    const outcome = await ask(['n', 'y']);
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining('npm uninstall -g') });
    expect(existsSync(fixture.home)).toBe(false);
    expect(await isGone(accessToken)).toBe(false);
  });

  it('names the files whose keys only it can give back', async () => {
    await connectPixel(fixture);
    const file = join(fixture.directory, '.env');
    writeFileSync(file, `PIXEL_API_KEY=${fixture.apiKey}\n`, { mode: 0o600 });
    expect((await fixture.authsome(['scan', '--rewrite', file])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).not.toContain(fixture.apiKey);
    expect((await fixture.json(['uninstall'])).rewritten_files).toEqual([file]);
    expect((await fixture.authsome(['uninstall'])).stdout).toContain(`authsome scan --undo ${file}`);
  });

  it('takes no directory for a home that authsome never used, whatever its files are called', async () => {
    const directory = join(fixture.directory, 'project');
    mkdirSync(join(directory, 'logs'), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, 'config.json'), '{}');
    writeFileSync(join(directory, 'logs/daemon.log'), 'another daemon');
    const env = { AUTHSOME_HOME: directory };
    expect(await fixture.json(['uninstall', '--yes'], 0, { env })).toMatchObject({
      removed: false,
      files: 0,
      kept: [],
    });
    expect(readdirSync(directory, { recursive: true }).map(String).sort()).toEqual([
      'config.json',
      'logs',
      'logs/daemon.log',
    ]);
  });
});
