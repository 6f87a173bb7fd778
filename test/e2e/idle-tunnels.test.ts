import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Acme, connectAcme, createAcme, until } from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { hosts } from '../support/service/index.ts';

let fixture: Acme;
let run: Running;
let held: ReadonlyMap<string, string>;

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  run = fixture.startAuthsome(['run', '--', 'sh', '-c', 'env; echo; echo up; cat'], { stdin: 'open' });
  await run.seen('stdout', /^up$/m);
  const lines = run.output.stdout.split('\n').filter((line) => line.includes('='));
  held = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
});
afterAll(async () => {
  run.child.stdin?.end();
  await run.ended;
  await fixture.close();
});

const count = 1_000;
const atOnce = 50;
/** Files that come and go for other reasons. */
const stray = 10;

const openFiles = (): number => readdirSync(`/proc/${fixture.daemonPid()}/fd`).length;
const residentBytes = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${fixture.daemonPid()}/status`, 'utf8'))?.[1]) * 1024;

async function openTunnel(host: string): Promise<Socket> {
  const { hostname, port, username, password } = new URL(held.get('HTTPS_PROXY') ?? '');
  const socket = connect({ host: hostname, port: Number(port) });
  const authorization = Buffer.from(`${username}:${password}`).toString('base64');
  socket.write(
    `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\nProxy-Authorization: Basic ${authorization}\r\n\r\n`,
  );
  const answer = await new Promise<string>((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed')));
  });
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(answer);
  return socket;
}

async function openIntercepted(): Promise<Socket> {
  const socket = await openTunnel(hosts.api);
  const trust = createSecureContext({ ca: readFileSync(held.get('NODE_EXTRA_CA_CERTS') ?? '') });
  const tls = connectTls({ socket, servername: hosts.api, secureContext: trust });
  await new Promise<void>((resolve, reject) => {
    tls.once('secureConnect', resolve);
    tls.once('error', reject);
  });
  return tls;
}

async function openAll(open: () => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let rest = count; rest > 0; rest -= atOnce) {
    sockets.push(...(await Promise.all(Array.from({ length: atOnce }, open))));
  }
  return sockets;
}

it.each([
  // Two sockets each; interceptions have one until there is a request, and TLS besides.
  { kind: 'blind', open: () => openTunnel(hosts.stranger), files: 2, bytesEach: 100 * 1024 },
  { kind: 'intercepted', open: openIntercepted, files: 1, bytesEach: 250 * 1024 },
])(
  'a thousand idle $kind tunnels are all open, cost little each, and leave nothing',
  async ({ open, files, bytesEach }) => {
    const before = { files: openFiles(), bytes: residentBytes() };
    const sockets = await openAll(open);
    expect(openFiles()).toBeGreaterThan(before.files + files * count - stray);
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
    const each = (residentBytes() - before.bytes) / count;
    expect(each).toBeLessThan(bytesEach);
    for (const socket of sockets) socket.destroy();
    await until(() => openFiles() < before.files + stray, 20_000).catch(() => {
      throw new Error(`${openFiles()} files are open, ${before.files} were before`);
    });
  },
);
