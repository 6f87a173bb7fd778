import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuthsomeError, errorDocument } from '../errors.ts';
import {
  createNonceMemory,
  daemonProof,
  fingerprintKey,
  fingerprintOf,
  loadIdentity,
  proofHeader,
  verifyRequest,
} from '../identity/index.ts';
import { parseSettings } from '../settings.ts';
import { createClient } from './client.ts';
import { findDaemon } from './daemon.ts';
import type { DaemonOptions } from './daemon-options.ts';
import { daemonRecordFile, readDaemonRecord } from './daemon-record.ts';
import type { DaemonRecord } from './wire.ts';

const secret = randomBytes(32);

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly did: string;
  readonly port: number | undefined;
}

/** A process that answers as the daemon of a home does, or as a stranger who knows no secret. */
interface FakeDaemon {
  readonly server: Server;
  readonly seen: Seen[];
  readonly record: DaemonRecord;
}

let home: string;
const opened: Server[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'authsome-client-'));
  mkdirSync(join(home, 'server'), { mode: 0o700 });
});
afterEach(() => {
  for (const server of opened.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(home, { recursive: true, force: true });
});

async function fakeDaemon(
  answer: (seen: Seen, response: ServerResponse) => void = (_, response) => response.end('{"v":1}'),
  knows: Uint8Array = secret,
): Promise<FakeDaemon> {
  const seen: Seen[] = [];
  const { remember } = createNonceMemory({ now: Date.now });
  const server = createServer((request: IncomingMessage, response) => {
    const { method = '', url = '', headers } = request;
    if (url === '/health') {
      response.writeHead(404).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const signed = { method, origin: `http://${headers.host}`, target: url, body, headers };
      const { did, nonce } = verifyRequest(signed);
      expect(remember(nonce, Date.now() + 61_000)).toBe(true);
      response.setHeader(proofHeader, daemonProof(knows, String(headers.signature)));
      const call = { method, url, body: body.toString(), did, port: request.socket.remotePort };
      seen.push(call);
      answer(call, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.push(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const record: DaemonRecord = {
    v: 1,
    api: 1,
    url,
    pid: process.pid,
    version: '1.0.0',
    secret: secret.toString('base64url'),
  };
  return { server, seen, record };
}

function publish(record: DaemonRecord): void {
  writeFileSync(daemonRecordFile(home), JSON.stringify(record), { mode: 0o600 });
}

function optionsFor(record: DaemonRecord): DaemonOptions {
  const { port } = new URL(record.url);
  return {
    settings: parseSettings({ AUTHSOME_HOME: home, AUTHSOME_PORT: port }),
    identity: loadIdentity({ directory: '', key: Buffer.alloc(32, 3).toString('base64'), randomBytes }),
    version: '1.0.0',
    onNewDaemon: () => {},
    // Nothing here may start anything.
    launch: { execPath: '/nonexistent', entry: '', environment: {} },
    now: Date.now,
    randomBytes,
  };
}

async function failure(attempt: Promise<unknown>): Promise<AuthsomeError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AuthsomeError);
  return error as AuthsomeError;
}

describe('a call', () => {
  it('is signed by the identity and arrives as it was meant', async () => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    const options = optionsFor(daemon.record);
    const client = createClient(options);
    await client.connection('github', { connection: "my 'work' & more", showSecret: true });
    await client.setDefault('git hub/x', 'work');
    await client.audit({ limit: 5, waitMs: 10 });
    expect(daemon.seen.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      'GET /v1/connections/github?connection=my%20%27work%27%20%26%20more&show_secret=1 ',
      'PUT /v1/connections/git%20hub%2Fx/default {"connection":"work"}',
      'GET /v1/audit?limit=5&wait_ms=10 ',
    ]);
    expect(new Set(daemon.seen.map(({ did }) => did))).toEqual(new Set([options.identity.did]));
  });

  it('fails as the daemon says', async () => {
    const daemon = await fakeDaemon((_, response) => {
      const error = new AuthsomeError('ProviderNotFound', 'no provider is named githb', {
        hint: 'Did you mean github?',
      });
      response.writeHead(404).end(JSON.stringify(errorDocument(error)));
    });
    publish(daemon.record);
    const error = await failure(createClient(optionsFor(daemon.record)).inspectProvider('githb'));
    expect(error).toMatchObject({
      code: 'ProviderNotFound',
      message: 'no provider is named githb',
      hint: 'Did you mean github?',
    });
    expect(daemon.seen).toHaveLength(1);
  });

  it.each(['<html>', '', '{"error":"NoSuchCode","message":"x"}', '[]'])(
    'fails clearly on an unreadable response: %j',
    async (text) => {
      const daemon = await fakeDaemon((_, response) => response.writeHead(502).end(text));
      publish(daemon.record);
      const error = await failure(createClient(optionsFor(daemon.record)).list());
      expect(error.code).toBe('DaemonUnavailable');
      expect(error.message).toContain('status 502');
    },
  );

  it('is not made with an invalid name, or with one that would not fit into its head', async () => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    const client = createClient(optionsFor(daemon.record));
    for (const [name, message] of [
      ['..', 'invalid name: ".."'],
      ['x'.repeat(100_000), 'name too long'],
    ] as const) {
      const error = await failure((async () => client.inspectProvider(name, {}))());
      expect(error).toMatchObject({ code: 'Usage', message });
    }
    expect(daemon.seen).toEqual([]);
  });

  it('is signed again, once, for a daemon that was started again in between', async () => {
    const restarted = randomBytes(32);
    const daemon = await fakeDaemon((_, response) => {
      publish({ ...daemon.record, secret: restarted.toString('base64url') });
      response.end('{"v":1}');
    }, restarted);
    publish(daemon.record);
    await createClient(optionsFor(daemon.record)).revokeProvider('github');
    expect(daemon.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/providers/github/revoke',
      'GET /v1/whoami',
      'POST /v1/providers/github/revoke',
    ]);
  });

  it('is signed again, once, when its signature was refused: the machine may have slept before it was sent', async () => {
    let refusals = 0;
    const daemon = await fakeDaemon(({ url }, response) => {
      if (url === '/v1/whoami') return void response.end('{"v":1}');
      refusals += 1;
      response.statusCode = 401;
      response.end(
        '{"v":1,"error":"RequestNotAuthentic","message":"it was signed 661 seconds ago","hint":null}',
      );
    });
    publish(daemon.record);
    const call = createClient(optionsFor(daemon.record)).revokeProvider('github');
    await expect(call).rejects.toMatchObject({ code: 'RequestNotAuthentic' });
    expect(refusals).toBe(2);
  });

  it('is not repeated when the daemon breaks the connection during it', async () => {
    const daemon = await fakeDaemon((_, response) => response.destroy());
    publish(daemon.record);
    const error = await failure(createClient(optionsFor(daemon.record)).revokeProvider('github'));
    expect(error.code).toBe('DaemonUnavailable');
    expect(daemon.seen).toHaveLength(1);
  });

  it('ends when it is cancelled', async () => {
    const controller = new AbortController();
    const daemon = await fakeDaemon(() => controller.abort());
    publish(daemon.record);
    const call = createClient(optionsFor(daemon.record)).authSession('s', {
      waitMs: 1000,
      signal: controller.signal,
    });
    expect((await failure(call)).code).toBe('Cancelled');
  });

  it.each(['', '.', '..'])('is not made for the name %j, which no path can contain', async (name) => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    const client = createClient(optionsFor(daemon.record));
    await expect(async () => client.removeProvider(name)).rejects.toMatchObject({ code: 'Usage' });
    expect(daemon.seen).toEqual([]);
  });
});

describe('a stranger on the port', () => {
  it('is detected, and reported as a stranger', async () => {
    const stranger = await fakeDaemon(undefined, randomBytes(32));
    publish(stranger.record);
    const options = optionsFor(stranger.record);
    const error = await failure(createClient(options).whoami());
    expect(error.code).toBe('AddressInUse');
    expect(error.message).toBe(`address already in use: 127.0.0.1:${options.settings.listenPort}`);
    expect(error.hint).toContain(String(process.pid));
    expect(await findDaemon(options)).toBeUndefined();
  });

  it('never receives a secret', async () => {
    const stranger = await fakeDaemon(undefined, randomBytes(32));
    publish(stranger.record);
    const client = createClient(optionsFor(stranger.record));
    await failure(client.answerSecret('s', 'sk-hunter2'));
    await failure(client.answerCallback('s', 'http://127.0.0.1:7998/?code=hunter2'));
    await failure(client.login({ provider: 'openai', force: false, api_key: 'sk-hunter2' }));
    expect(stranger.seen.length).toBeGreaterThan(0);
    expect(stranger.seen.filter(({ body }) => body !== '')).toEqual([]);
  });

  it('cannot guess the values that a run compares with the vault', async () => {
    const stranger = await fakeDaemon(undefined, randomBytes(32));
    publish(stranger.record);
    const values = new Map([['PGPASSWORD', 'hunter2-winter']]);
    const opening = { providers: [], connections: {}, command: 'true', ca_files: [], values };
    await failure(createClient(optionsFor(stranger.record)).openRun(opening));
    const { variables } = JSON.parse(stranger.seen.find(({ method }) => method === 'POST')?.body ?? '');
    expect(Object.keys(variables.fingerprints)).toEqual(['PGPASSWORD']);
    const guessed = fingerprintOf(fingerprintKey(variables.salt, undefined), 'hunter2-winter');
    expect(variables.fingerprints.PGPASSWORD).not.toBe(guessed);
    // The daemon of this home has what it takes.
    const known = fingerprintOf(fingerprintKey(variables.salt, secret), 'hunter2-winter');
    expect(variables.fingerprints.PGPASSWORD).toBe(known);
  });
});

describe('a secret', () => {
  it('is sent only on the connection that proved to be the daemon', async () => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    await createClient(optionsFor(daemon.record)).answerSecret('s', 'sk-1');
    const [opening, call] = daemon.seen;
    expect(opening).toMatchObject({ method: 'GET', url: '/v1/whoami', body: '' });
    expect(call).toMatchObject({ method: 'POST', body: '{"api_key":"sk-1"}', port: opening?.port });
  });

  it('stays here when that connection is closed in between', async () => {
    const daemon = await fakeDaemon((_, response) =>
      response.setHeader('connection', 'close').end('{"v":1}'),
    );
    publish(daemon.record);
    await failure(createClient(optionsFor(daemon.record)).answerSecret('s', 'sk-1'));
    expect(daemon.seen.filter(({ body }) => body !== '')).toEqual([]);
  });
});

describe('a run', () => {
  const run = { v: 1, run_id: 'r1', proxy_url: 'http://x' };

  it('lives as long as its lease is kept', async () => {
    let held: ServerResponse | undefined;
    const daemon = await fakeDaemon((_, response) => {
      held = response;
      const line = `${JSON.stringify(run)}\n`;
      response.write(line.slice(0, 10));
      setImmediate(() => response.write(line.slice(10)));
    });
    publish(daemon.record);
    const lease = await createClient(optionsFor(daemon.record)).openRun({
      providers: [],
      connections: {},
      command: 'true',
      ca_files: [],
      values: new Map(),
    });
    expect(lease.run).toEqual(run);
    const closed = once(held as ServerResponse, 'close');
    lease.close();
    await closed;
    await lease.ended;
  });

  it('ends when the daemon ends it, and may be refused', async () => {
    const daemon = await fakeDaemon((_, response) =>
      response.write(`${JSON.stringify(run)}\n`, () => response.destroy()),
    );
    publish(daemon.record);
    const request = { providers: [], connections: {}, command: 'true', ca_files: [], values: new Map() };
    const lease = await createClient(optionsFor(daemon.record)).openRun(request);
    await lease.ended;
    const refusing = await fakeDaemon((_, response) =>
      response
        .writeHead(404)
        .end(JSON.stringify(errorDocument(new AuthsomeError('ConnectionNotFound', 'none')))),
    );
    publish(refusing.record);
    expect((await failure(createClient(optionsFor(refusing.record)).openRun(request))).code).toBe(
      'ConnectionNotFound',
    );
  });
});

describe('the record of the daemon', () => {
  it('is not believed when others can write or read it', async () => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    chmodSync(daemonRecordFile(home), 0o644);
    const error = await failure(createClient(optionsFor(daemon.record)).whoami());
    expect(error.code).toBe('HomeNotUsable');
    expect(error.hint).toBe(`Run: chmod 600 ${daemonRecordFile(home)}\nThen: authsome daemon restart`);
    expect(daemon.seen).toEqual([]);
  });

  it.each([
    [
      'a pipe, which nobody waits at',
      (path: string) => spawnSync('mkfifo', ['-m', '600', path]),
      'is not a file',
    ],
    ['a symbolic link', (path: string) => symlinkSync(`${path}.real`, path), 'is a symbolic link'],
    ['a directory', (path: string) => mkdirSync(path, { mode: 0o700 }), 'is not a file'],
  ])('is not %s', async (_what, put, fault) => {
    const daemon = await fakeDaemon();
    publish(daemon.record);
    renameSync(daemonRecordFile(home), `${daemonRecordFile(home)}.real`);
    put(daemonRecordFile(home));
    const error = await failure(createClient(optionsFor(daemon.record)).whoami());
    expect(error.code).toBe('HomeNotUsable');
    expect(error.message).toBe(`${daemonRecordFile(home)} ${fault}`);
    expect(error.hint).toMatch(/move it away.*\nThen: authsome daemon restart$/i);
    expect(daemon.seen).toEqual([]);
  });

  it('is not there where a file stands in the place of its directory', () => {
    rmSync(join(home, 'server'), { recursive: true });
    writeFileSync(join(home, 'server'), '');
    expect(readDaemonRecord(home)).toBeUndefined();
  });

  it('of another version is used while that daemon has runs, if it speaks the same API', async () => {
    const busy = await fakeDaemon((call, response) =>
      response.end(call.url === '/v1/daemon/stop' ? '{"v":1,"stopping":false,"live_runs":2}' : '{"v":1}'),
    );
    publish({ ...busy.record, version: '0.9.0' });
    await createClient(optionsFor(busy.record)).list();
    expect(busy.seen.map(({ url, body }) => url + body)).toEqual([
      '/v1/daemon/stop{"when":"idle"}',
      '/v1/providers',
    ]);

    publish({ ...busy.record, version: '0.9.0', api: 0 });
    const error = await failure(createClient(optionsFor(busy.record)).list());
    expect(error.code).toBe('DaemonUnavailable');
    expect(error.hint).toContain('authsome daemon restart');
  });
});
