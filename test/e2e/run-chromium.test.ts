import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { findChromium } from '../support/chromium.ts';
import { type Fixture, openFixture, register, root } from '../support/fixture.ts';
import type { Outcome } from '../support/product.ts';
import { createThrowawayCa } from '../support/service/index.ts';

const web = 'web.chromium.test';
const stranger = 'stranger.chromium.test';
const secret = `sk_chromium_${randomBytes(12).toString('hex')}`;

let fixture: Fixture;
/** What arrived: `host path: Authorization`. */
const arrived: string[] = [];
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  const ca = await createThrowawayCa('Throwaway browser CA');
  const { certPem: cert, keyPem: key } = await ca.issue([web, stranger]);
  const api = createServer({ cert, key }, (request, response) => {
    arrived.push(`${request.headers.host} ${request.url}: ${request.headers.authorization}`);
    if (request.url === '/events') {
      response.setHeader('content-type', 'text/event-stream');
      for (const number of [1, 2, 3]) response.write(`data: ${number}\n\n`);
      return;
    }
    response.setHeader('content-type', request.url === '/' ? 'text/html' : 'text/plain');
    response.end(request.url === '/' ? '<!doctype html><title>web</title>' : request.headers.authorization);
  });
  const sockets = new WebSocketServer({ server: api });
  sockets.on('connection', (socket, request) => {
    arrived.push(`${request.headers.host} ${request.url}: ${request.headers.authorization}`);
    socket.on('message', (data) => socket.send(`heard ${data.toString()}`));
  });
  const other = createSecureServer({ cert, key }, (request, response) => {
    arrived.push(
      `${request.authority} ${request.url} over HTTP/${request.httpVersion}: ${request.headers.authorization}`,
    );
    response.setHeader('access-control-allow-origin', '*');
    response.end('from elsewhere');
  });
  const ports = await Promise.all(
    [api, other].map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
        }),
    ),
  );
  cleanups.push(
    () => api.closeAllConnections(),
    () => api.close(),
    () => other.close(),
  );
  fixture = await openFixture({
    AUTHSOME_RESOLVE: `${web}:443:127.0.0.1:${ports[0]},${stranger}:443:127.0.0.1:${ports[1]}`,
  });
  const caFile = join(fixture.directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const env = { AUTHSOME_EXTRA_CA_CERTS: caFile, WEB_KEY: secret };
  await fixture.authsome(['whoami'], { env });
  const definition = {
    schema_version: 1,
    name: 'web',
    display_name: 'Web',
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: `https://${web}`,
    api_key: { header_name: 'Authorization', header_prefix: 'Bearer', env_var: 'WEB_KEY' },
    export: { env: { api_key: 'WEB_TOKEN' } },
  };
  expect((await register(fixture, definition)).code).toBe(0);
  expect((await fixture.authsome(['login', 'web', '--yes'], { env })).code).toBe(0);
});
afterAll(async () => {
  await fixture.close();
  for (const cleanup of cleanups) await cleanup();
});

/** In a home of its own, where Chromium keeps what it trusts. */
function browse(mode: 'credentials' | 'env'): Promise<Outcome> {
  const program = join(root, 'test/e2e/run-chromium.mjs');
  const home = mkdtempSync(join(fixture.directory, `${mode}-`));
  return fixture.authsome(['run', '--', process.execPath, program, findChromium(), web, stranger, mode], {
    env: { HOME: home, STRANGER_CA: join(fixture.directory, 'ca.pem') },
    cwd: root,
  });
}

it('Chromium in a run sends the credential in fetch, EventSource and WebSocket, and never has it', async () => {
  const outcome = await browse('credentials');
  const met = JSON.parse(outcome.stdout);
  expect(met).toMatchObject({
    answer: expect.stringMatching(/^Bearer sk_chromium_/),
    events: ['1', '2', '3'],
    echo: 'heard over the socket',
    other: 'from elsewhere',
  });
  for (const path of ['/fetch', '/events', '/socket']) {
    expect(arrived).toContain(`${web} ${path}: Bearer ${secret}`);
  }
  expect(arrived).toContain(`${stranger} /fetch over HTTP/2.0: undefined`);
  expect(outcome.stdout + outcome.stderr).not.toContain(secret);
});

it('Chromium does not take the credentials of the proxy from the environment, and gets nowhere without them', async () => {
  const before = arrived.length;
  const outcome = await browse('env');
  expect(JSON.parse(outcome.stdout)).toEqual({ error: expect.stringMatching(/net::ERR_/) });
  expect(arrived).toHaveLength(before);
});
