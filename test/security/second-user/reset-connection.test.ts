import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Acme, connectAcme, createAcme } from '../../support/fixture.ts';
import { startAs, stranger } from '../../support/other-user.ts';
import { hosts } from '../../support/service/index.ts';

/**
 * The attack: another user of the machine sends a request and resets the connection at once, so that the kernel's table
 * has neither side of it when the daemon looks. That was taken for a system that hides the table, where everybody is let
 * in. With a run's proxy URL from a process's arguments, the proxy sent every third such request out with the owner's
 * credential. With the address of a sign-in, the request ended the sign-in.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
});
afterAll(() => fixture.close());

/** Sends the request again and again, each time on a connection that it resets soon after. */
const attack = `
  const { connect } = require('node:net');
  const { setTimeout: sleep } = require('node:timers/promises');
  const [port, request] = process.argv.slice(1);
  const attempt = (waitMs) => new Promise((done) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(request, async () => {
      const until = performance.now() + waitMs;
      while (performance.now() < until);
      socket.resetAndDestroy();
    }));
    socket.on('error', () => {}).on('close', done);
  });
  (async () => {
    for (let round = 0; round < 15; round += 1) {
      for (const waitMs of [0, 0.1, 0.2, 0.5, 1]) {
        await attempt(waitMs);
        await sleep(15);
      }
    }
  })();
`;

async function attackAs(uid: number, port: string, request: string): Promise<void> {
  const env = { PATH: process.env.PATH ?? '' };
  const { code, stderr } = await startAs(uid, process.execPath, ['-e', attack, port, request], {
    env,
    cwd: '/',
  }).ended;
  expect([code, stderr]).toEqual([0, '']);
}

it('sends nothing out for another user whose connection is gone before the look', async () => {
  const script = 'echo "proxy=$HTTPS_PROXY"; read -r line';
  const run = fixture.startAuthsome(['run', '--', 'sh', '-c', script], { stdin: 'open' });
  const [, proxy = ''] = await run.seen('stdout', /proxy=(\S+)/);
  const { port, username, password } = new URL(proxy);
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const before = fixture.service.api.received.length;
  const head = [`Host: ${hosts.api}`, `Proxy-Authorization: Basic ${basic}`, 'Content-Length: 4'];
  await attackAs(
    stranger,
    port,
    `POST https://${hosts.api}/v1/me HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\nevil`,
  );
  expect(fixture.service.api.received.length).toBe(before);
  run.type('\n');
  expect((await run.ended).code).toBe(0);
});

it('ends no sign-in for another user whose connection is gone before the look', async () => {
  const login = fixture.startAuthsome(['login', 'pixel', '--json', '--no-browser']);
  const [, page = ''] = await login.seen('stdout', /"auth_url":"([^"]+)"/);
  const { host, port, pathname } = new URL(page);
  await attackAs(stranger, port, `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const [id = ''] = /ses_[\w-]+/.exec(pathname) ?? [];
  const status = await fixture.json(['login', 'pixel', '--status', id]);
  expect(status).toMatchObject({ status: 'waiting' });
  login.child.kill('SIGINT');
  expect((await login.ended).stdout).not.toContain('connected');
});
