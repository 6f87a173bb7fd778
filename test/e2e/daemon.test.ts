import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, type Fixture, gone, isAlive, openFixture, until, withFixture } from '../support/fixture.ts';

describe('a daemon on demand', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture();
  });
  afterAll(() => fixture.close());

  it('starts with the first command that needs it, and says nothing about it', async () => {
    const outcome = await fixture.authsome(['whoami']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(fixture.daemonPid()).toBeGreaterThan(0);
  });

  it('is reused by the next one', async () => {
    const before = fixture.daemonPid();
    const whoami = await fixture.json(['whoami']);
    expect(whoami).toMatchObject({
      v: 1,
      home: fixture.home,
      key_source: 'file',
      principal: { role: 'admin' },
      daemon: { url: fixture.baseUrl, pid: before },
    });
    expect(whoami.did).toMatch(/^did:key:z6Mk/);
  });

  it('outlives the command that started it, and serves /health and /ready to anybody', async () => {
    const health = await (await fetch(`${fixture.baseUrl}/health`)).json();
    expect(health).toMatchObject({ v: 1, service: 'authsome', status: 'ok', pid: fixture.daemonPid() });
    const ready = (await (await fetch(`${fixture.baseUrl}/ready`)).json()) as { checks: unknown[] };
    expect(ready).toMatchObject({ v: 1, ready: true });
    expect(ready.checks.length).toBeGreaterThan(2);
  });

  it('answers no unsigned call and no foreign host', async () => {
    const unsigned = await fetch(`${fixture.baseUrl}/v1/providers`);
    expect(unsigned.status).toBe(401);
    expect(await unsigned.json()).toMatchObject({ v: 1, error: 'RequestNotAuthentic' });
    const { stdout } = await rebinding(fixture);
    expect(stdout).toMatch(/^4\d\d$/);
  });

  it('keeps its home to itself', () => {
    expect(statSync(fixture.home).mode & 0o777).toBe(0o700);
    for (const file of ['server/authsome.db', 'server/master.key', 'server/daemon.json']) {
      expect([file, statSync(join(fixture.home, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
  });

  it('shows its state, restarts under another pid, and stops', async () => {
    const before = fixture.daemonPid() ?? 0;
    expect((await fixture.authsome(['daemon', 'status'])).code).toBe(0);
    expect((await fixture.authsome(['daemon', 'restart'])).code).toBe(0);
    expect(fixture.daemonPid()).not.toBe(before);
    expect(isAlive(before)).toBe(false);
    const after = fixture.daemonPid() ?? 0;
    expect((await fixture.authsome(['daemon', 'stop'])).code).toBe(0);
    await gone(after, 5_000);
    expect((await fixture.authsome(['daemon', 'status'])).code).toBe(9);
    expect((await fixture.authsome(['daemon', 'stop'])).code).toBe(0);
  });

  it('is not stopped by a restart that could not start it again, for want of its master key', async () => {
    const masterKey = randomBytes(32).toString('base64');
    const withKey = { env: { AUTHSOME_MASTER_KEY: masterKey } };
    await withFixture(await openFixture(), async (other) => {
      await other.authsome(['whoami'], withKey);
      const before = other.daemonPid() ?? 0;
      const lacking = [
        ['daemon', 'restart'],
        ['run', '--', process.execPath, entry, 'daemon', 'restart'],
      ];
      for (const args of lacking) {
        const refused = await other.authsome(args, args[0] === 'run' ? withKey : {});
        expect([refused.code, refused.stderr]).toEqual([
          9,
          expect.stringMatching(
            /(^|\n)Error: the daemon was not stopped, since .*master key is [\s\S]*AUTHSOME_MASTER_KEY/,
          ),
        ]);
      }
      const wrong = { env: { AUTHSOME_MASTER_KEY: randomBytes(32).toString('base64') } };
      expect((await other.authsome(['daemon', 'restart'], wrong)).stderr).toContain('is not the one');
      expect([other.daemonPid(), isAlive(before)]).toEqual([before, true]);
      expect(existsSync(join(other.home, 'server/master.key'))).toBe(false);
      expect((await other.authsome(['daemon', 'restart'], withKey)).code).toBe(0);
      expect(other.daemonPid()).not.toBe(before);
    });
  });

  it('shows its log', async () => {
    await fixture.authsome(['whoami']);
    const logs = await fixture.authsome(['daemon', 'logs']);
    expect(logs.code).toBe(0);
    expect(logs.stdout).not.toBe('');
    appendFileSync(join(fixture.home, 'logs/daemon.log'), 'not JSON\n');
    expect(await fixture.json(['daemon', 'logs', '-n', '2'])).toEqual({
      v: 1,
      lines: [expect.objectContaining({ time: expect.any(String), msg: expect.any(String) }), 'not JSON'],
    });
  });

  it('starts again by itself after a SIGKILL, with the same identity and vault', async () => {
    const before = await fixture.json(['whoami']);
    process.kill(before.daemon.pid, 'SIGKILL');
    await gone(before.daemon.pid, 5_000);
    const after = await fixture.json(['whoami']);
    expect(after).toMatchObject({ did: before.did, vault: before.vault, principal: before.principal });
    expect(after.daemon.pid).not.toBe(before.daemon.pid);
  });
});

/** A page of another site that a browser was led to send to the daemon's address. */
async function rebinding(fixture: Fixture) {
  const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Host: evil.example:${fixture.port}`];
  const { start } = await import('../support/product.ts');
  return start({ program: 'curl', args: [...args, `${fixture.baseUrl}/health`], env: fixture.env }).ended;
}

it('is found by every command, though somebody removed its record or wrote something else there', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    await fixture.authsome(['whoami']);
    const pid = fixture.daemonPid();
    const record = join(fixture.home, 'server/daemon.json');
    for (const spoil of [() => rmSync(record), () => writeFileSync(record, '{}')]) {
      spoil();
      expect((await fixture.json(['whoami'])).daemon.pid).toBe(pid);
      expect(statSync(record).mode & 0o777).toBe(0o600);
    }
    expect((await fixture.authsome(['daemon', 'stop'])).code).toBe(0);
    expect(existsSync(record)).toBe(false);
  });
});

it('is one, though many commands want it at the same instant', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => fixture.json(['whoami'])));
    expect(new Set(answers.map((answer) => answer.daemon.pid)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.did)).size).toBe(1);
  });
});

it('runs beside the daemon of another home', async () => {
  await withFixture(await openFixture(), async (one) => {
    await withFixture(await openFixture(), async (other) => {
      const [first, second] = [await one.json(['whoami']), await other.json(['whoami'])];
      expect(first.daemon.pid).not.toBe(second.daemon.pid);
      expect(first.did).not.toBe(second.did);
    });
  });
});

it('says which process uses its port, and what to do', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const stranger = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => stranger.listen(fixture.port, '127.0.0.1', resolve));
    try {
      const outcome = await fixture.authsome(['whoami']);
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain(`Error: address already in use: 127.0.0.1:${fixture.port}`);
      expect(outcome.stderr).toContain(String(process.pid));
      expect(outcome.stdout).toBe('');
      const document = await fixture.json(['whoami'], 9);
      expect(document).toMatchObject({ v: 1, error: 'AddressInUse' });
    } finally {
      stranger.close();
      stranger.closeAllConnections();
    }
    expect((await fixture.authsome(['whoami'])).code).toBe(0);
  });
});

it('says which process uses its port when that is another home’s daemon', async () => {
  await withFixture(await openFixture(), async (one) => {
    await one.json(['whoami']);
    await withFixture(await openFixture({ AUTHSOME_PORT: String(one.port) }), async (other) => {
      const outcome = await other.authsome(['whoami']);
      expect(outcome.code).toBe(9);
      expect(outcome.stderr).toContain(`Error: address already in use: 127.0.0.1:${one.port}`);
    });
    expect(isAlive(one.daemonPid() ?? 0)).toBe(true);
  });
});

it('serves in the foreground, and ends in order on SIGTERM', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const serve = fixture.startAuthsome(['daemon', 'serve']);
    await until(async () => {
      const health = await fetch(`${fixture.baseUrl}/health`).catch(() => undefined);
      return health?.ok === true;
    }, 15_000);
    expect(fixture.daemonPid()).toBe(serve.child.pid);
    serve.child.kill('SIGTERM');
    expect((await serve.ended).code).toBe(0);
    expect(fixture.daemonPid()).toBeUndefined();
  });
});

it('stops with a run in progress: the run’s child is not killed, and its proxy is gone', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const script = 'echo up; read line; echo "$line"; exit 7';
    const run = fixture.startAuthsome(['run', '--', 'sh', '-c', script], { stdin: 'open' });
    await run.seen('stdout', /up/);
    const pid = fixture.daemonPid() ?? 0;
    const stop = await fixture.authsome(['daemon', 'stop']);
    expect(stop.code).toBe(0);
    await gone(pid, 10_000);
    run.type('still here\n');
    const outcome = await run.ended;
    expect(outcome).toMatchObject({ code: 7, stdout: 'up\nstill here\n' });
  });
});

it('is listed nowhere with a secret: its arguments and environment contain none', async () => {
  await withFixture(await openFixture(), async (fixture) => {
    const { daemon } = await fixture.json(['whoami']);
    const key = readFileSync(join(fixture.home, 'server/master.key'), 'utf8').trim();
    const commandLine = readFileSync(`/proc/${daemon.pid}/cmdline`, 'utf8');
    expect(commandLine + readFileSync(`/proc/${daemon.pid}/environ`, 'utf8')).not.toContain(key);
  });
});
