/**
 * A phantom in the content of a request: curl and a WebSocket client in a run of the real binary, at a service that tells
 * what it got.
 */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Fixture, openFixture, register, root } from '../support/fixture.ts';
import type { Outcome } from '../support/product.ts';
import { createThrowawayCa } from '../support/service/index.ts';

const host = 'content.acme.test';
const secret = 'sk-content-5d8e1f0a7b3c9d2e';
const got: string[] = [];
const cleanups: (() => unknown)[] = [];
let fixture: Fixture;

beforeAll(async () => {
  const ca = await createThrowawayCa('Throwaway content CA');
  const { certPem: cert, keyPem: key } = await ca.issue([host]);
  const server = createServer({ cert, key }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    got.push(`${request.url} ${body}`);
    response.end('taken');
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (data) => {
      got.push(`message ${data}`);
      socket.send('taken');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  fixture = await openFixture({
    AUTHSOME_RESOLVE: `${host}:443:127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  const caFile = join(fixture.directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const env = { AUTHSOME_EXTRA_CA_CERTS: caFile, CONTENT_KEY: secret };
  await fixture.authsome(['whoami'], { env });
  const definition = {
    schema_version: 1,
    name: 'content',
    display_name: 'Content',
    auth_type: 'api_key',
    flow: 'api_key',
    api_key: { env_var: 'CONTENT_KEY' },
    inject: [
      { hosts: [`${host}/json`], placements: [{ kind: 'body', pointer: '/auth/token' }] },
      { hosts: [`${host}/form`], placements: [{ kind: 'body', field: 'token' }] },
      { hosts: [`${host}/socket`], placements: [{ kind: 'websocket', pointer: '/token' }] },
      { hosts: [host], placements: [{ kind: 'header', name: 'X-Key', prefix: '' }] },
    ],
    export: { env: { api_key: 'CONTENT_TOKEN' } },
  };
  expect((await register(fixture, definition)).code).toBe(0);
  expect((await fixture.authsome(['login', 'content', '--yes'], { env })).code).toBe(0);
});
afterAll(async () => {
  await fixture.close();
  for (const cleanup of cleanups) await cleanup();
});

const curl = (line: string): Promise<Outcome> =>
  fixture.authsome(['run', '--', 'sh', '-c', `curl -sS ${line}`]);

it('curl posts the phantom in JSON and in a form, and the service gets the secret', async () => {
  const json = `-H 'Content-Type: application/json' -d '{"auth":{"token":"'$CONTENT_TOKEN'"}}' https://${host}/json`;
  const form = `--data-urlencode token=$CONTENT_TOKEN -d x=y https://${host}/form`;
  const waiting = `-H 'Expect: 100-continue' -H 'Transfer-Encoding: chunked' -d token=$CONTENT_TOKEN https://${host}/form`;
  for (const line of [json, form, waiting])
    expect(await curl(line)).toMatchObject({ code: 0, stdout: 'taken' });
  expect(got.splice(0)).toEqual([
    `/json {"auth":{"token":"${secret}"}}`,
    `/form token=${secret}&x=y`,
    `/form token=${secret}`,
  ]);
});

it('curl is told where the phantom is that the service does not take, and the service gets nothing', async () => {
  for (const line of [
    `-d "token=$CONTENT_TOKEN" https://${host}/other`,
    `-d "other=$CONTENT_TOKEN" https://${host}/form`,
    `-d "token=$CONTENT_TOKEN&token=1" https://${host}/form`,
    `-F "token=$CONTENT_TOKEN" https://${host}/form`,
    `-d "token=$(printf %s "$CONTENT_TOKEN" | base64 -w0)" https://${host}/form`,
  ]) {
    const { stdout } = await curl(line);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'PhantomMisplaced', status: 403 });
  }
  expect(got.splice(0)).toEqual([]);
});

/** Sends a text on a WebSocket, by Node's own tools: `$T` in it is the phantom. Prints what comes back. */
const script = `
const { connect } = require('node:net'); const tls = require('node:tls');
const WebSocket = require(${JSON.stringify(join(root, 'node_modules/ws'))});
const proxy = new URL(process.env.HTTPS_PROXY); const [path, text] = process.argv.slice(1);
const socket = connect(proxy.port, proxy.hostname);
const login = Buffer.from(proxy.username + ':' + proxy.password).toString('base64');
socket.write('CONNECT ${host}:443 HTTP/1.1\\r\\nHost: ${host}:443\\r\\nProxy-Authorization: Basic ' + login + '\\r\\n\\r\\n');
socket.once('data', () => {
  const ws = new WebSocket('wss://${host}' + path, {
    createConnection: () => tls.connect({ socket, servername: '${host}' }),
  });
  ws.on('open', () => ws.send(text.replace('$T', process.env.CONTENT_TOKEN)));
  ws.on('message', (data) => { console.log(String(data)); ws.close(); });
  ws.on('close', (code, reason) => console.log(code, String(reason)));
});`;

const say = (path: string, text: string): Promise<Outcome> =>
  fixture.authsome(['run', '--', process.execPath, '-e', script, path, text]);

it('a WebSocket client sends the phantom where it belongs, and is closed where it does not', async () => {
  expect((await say('/socket', '{"token":"$T"}')).stdout).toContain('taken\n1005');
  expect(got.splice(0)).toEqual([`message {"token":"${secret}"}`]);
  for (const [path, text] of [
    ['/socket', '{"other":"$T"}'],
    ['/elsewhere', '{"token":"$T"}'],
  ] as const) {
    const { stdout } = await say(path, text);
    expect(stdout).toMatch(/^1008 PhantomMisplaced: authsome explain dec_\w+\n$/);
    const [, decision = ''] = /(dec_\w+)/.exec(stdout) ?? [];
    expect((await fixture.authsome(['explain', decision])).stdout).toContain('PhantomMisplaced');
  }
  expect(got.splice(0)).toEqual([]);
});
