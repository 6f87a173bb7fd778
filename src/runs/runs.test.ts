import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LogDocument, RunDocument, RunRequest } from '../client/index.ts';
import { type Fixture, openFixture } from '../daemon/test-daemon.ts';
import { certificatesOf } from '../network/index.ts';

const key = `sk-proj-${'A1b2'.repeat(12)}`;
let fixture: Fixture;
beforeEach(async () => {
  fixture = await openFixture();
});
afterEach(() => fixture.close());

interface Lease {
  readonly status: number;
  readonly run: RunDocument;
  readonly ended: Promise<void>;
  close(): void;
}

async function openRun(changes: Partial<RunRequest> = {}): Promise<Lease> {
  const request = { providers: [], connections: {}, command: 'agent', ca_files: [], ...changes };
  const aborting = new AbortController();
  const response = await fixture.call('POST', '/v1/runs', request, { signal: aborting.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  const run = JSON.parse(Buffer.from(first?.value ?? []).toString()) as RunDocument;
  const ended = (async () => {
    while ((await reader?.read())?.done === false);
  })().catch(() => undefined);
  return { status: response.status, run, ended, close: () => aborting.abort() };
}

const connectOpenai = (connection = 'default') =>
  fixture.call('POST', '/v1/auth-sessions', { provider: 'openai', connection, force: true, api_key: key });

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function events(name: string): Promise<LogDocument['events']> {
  const { events: all } = (await (await fixture.call('GET', '/v1/audit?limit=100')).json()) as LogDocument;
  return all.filter(({ event }) => event === name);
}

/** What the proxy of a run says to a CONNECT. */
function connectThrough(run: RunDocument, authority: string): Promise<string> {
  const { hostname, port, username, password } = new URL(run.proxy_url);
  const token = Buffer.from(`${username}:${password}`).toString('base64');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', reject);
    socket.once('data', (data) => {
      resolve(data.toString('latin1').split('\r\n', 1)[0] ?? '');
      socket.destroy();
    });
    socket.write(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: Basic ${token}\r\n\r\n`,
    );
  });
}

describe('a run', () => {
  it('is given a proxy, a CA beside the system’s roots, and phantoms', async () => {
    await connectOpenai();
    const lease = await openRun();
    const { run } = lease;
    expect(lease.status).toBe(200);
    expect(run).toMatchObject({ v: 1, connections: ['openai/default'] });
    expect(run.phantoms.OPENAI_API_KEY).toMatch(/^sk-/);
    expect(JSON.stringify(run)).not.toContain(key);
    const [ca = ''] = certificatesOf(readFileSync(run.ca_file, 'utf8'));
    expect(new X509Certificate(ca).ca).toBe(true);
    const bundle = certificatesOf(readFileSync(run.ca_bundle_file, 'utf8'));
    expect(bundle.length).toBeGreaterThan(50);
    expect(bundle.at(-1)).toBe(ca);
    expect(statSync(dirname(run.ca_file)).mode & 0o777).toBe(0o700);
    expect(statSync(run.ca_file).mode & 0o777).toBe(0o600);
    expect(statSync(run.ca_bundle_file).mode & 0o777).toBe(0o600);
    lease.close();
  });

  it('ends with the connection that carries it, and leaves nothing behind', async () => {
    const { run, close } = await openRun();
    expect(await connectThrough(run, '127.0.0.1:1')).toMatch(/^HTTP\/1\.1 403/);
    close();
    await until(() => !existsSync(dirname(run.ca_file)));
    await until(async () => (await events('run.ended')).length === 1);
    expect(await events('run.ended')).toMatchObject([{ run: run.run_id, outcome: 'ok' }]);
    expect(await connectThrough(run, '127.0.0.1:1')).toMatch(/^HTTP\/1\.1 (403|407)/);
  });

  it('keeps a corporate bundle that the caller trusts, but no key that was filed with it', async () => {
    const first = await openRun();
    const file = join(dirname(fixture.home), 'corporate.pem');
    writeFileSync(
      file,
      `${readFileSync(first.run.ca_file, 'utf8')}-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n`,
    );
    const second = await openRun({ ca_files: [file, '/no/such/file', fixture.home] });
    const bundle = readFileSync(second.run.ca_bundle_file, 'utf8');
    expect(bundle).toContain(certificatesOf(readFileSync(first.run.ca_file, 'utf8'))[0]?.trim());
    expect(bundle).not.toContain('PRIVATE KEY');
    first.close();
    second.close();
  });

  it('is refused for what does not exist, before anything is created', async () => {
    const cases = [
      [{ providers: ['opnai'] }, 404, 'ProviderNotFound', /openai/],
      [{ providers: ['github'] }, 404, 'ConnectionNotFound', /authsome login github/],
      [{ connections: { openai: 'work' } }, 404, 'ConnectionNotFound', /--connection work/],
    ] as const;
    for (const [changes, status, error, hint] of cases) {
      const response = await fixture.call('POST', '/v1/runs', {
        providers: [],
        connections: {},
        command: 'agent',
        ca_files: [],
        ...changes,
      });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ error, hint: expect.stringMatching(hint) });
    }
    expect(await events('run.started')).toEqual([]);
  });

  it('learns of a revocation at once: its next request is refused, not passed on', async () => {
    await connectOpenai();
    const { run, close } = await openRun();
    expect(await connectThrough(run, 'api.openai.com:443')).toMatch(/^HTTP\/1\.1 200/);
    await fixture.call('POST', '/v1/providers/openai/revoke');
    expect(await connectThrough(run, 'api.openai.com:443')).toMatch(/^HTTP\/1\.1 (200|4\d\d)/);
    expect(await events('connection.revoked')).toMatchObject([
      { connection: 'default', identity: 'tester@machine' },
    ]);
    close();
  });

  it('ends when the daemon stops, and a stop can wait for it', async () => {
    const lease = await openRun();
    const idle = await fixture.call('POST', '/v1/daemon/stop', { when: 'idle' });
    expect(await idle.json()).toEqual({ v: 1, stopping: true, live_runs: 1 });
    expect((await fixture.call('GET', '/v1/whoami')).status).toBe(200);
    lease.close();
    await fixture.daemon.stopped;
    expect(existsSync(dirname(lease.run.ca_file))).toBe(false);
  });

  it('learns of an immediate stop by the end of its lease', async () => {
    const lease = await openRun();
    expect((await fixture.call('POST', '/v1/daemon/stop', { when: 'now' })).status).toBe(200);
    await lease.ended;
    await fixture.daemon.stopped;
    expect(existsSync(dirname(lease.run.ca_file))).toBe(false);
  });
});

it('sweeps what a killed daemon left in runs/', async () => {
  const stale = join(fixture.home, 'runs/run_stale');
  mkdirSync(stale, { mode: 0o700 });
  writeFileSync(join(stale, 'ca.pem'), 'x');
  await fixture.restart();
  expect(existsSync(stale)).toBe(false);
});
