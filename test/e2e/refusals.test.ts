import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

/** What a program in a run can do by hand: its proxy, and what it trusts. */
interface Inside {
  readonly proxy: URL;
  readonly caPem: string;
  end(): Promise<void>;
}

let fixture: Acme;
let inside: Inside;
let token = '';

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  token = fixture.service.authorization.issued[0]?.accessToken ?? '';
  inside = await openRun();
});
afterAll(async () => {
  await inside.end();
  await fixture.close();
});

async function openRun(): Promise<Inside> {
  const script = 'printf "%s\\n" "$HTTPS_PROXY"; cat "$NODE_EXTRA_CA_CERTS"; echo READY; read line';
  const running = fixture.startAuthsome(['run', '--', 'sh', '-c', script], { stdin: 'open' });
  await running.seen('stdout', /READY/);
  const [proxy = '', ...pem] = running.output.stdout.split('\n');
  return {
    proxy: new URL(proxy),
    caPem: pem.join('\n').replace('READY', ''),
    async end() {
      running.type('\n');
      await running.ended;
    },
  };
}

function credentials(): string {
  return Buffer.from(`${inside.proxy.username}:${inside.proxy.password}`).toString('base64');
}

/** Everything that comes back until the other side closes. */
async function exchange(socket: Socket, bytes: string): Promise<string> {
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    answer += text;
  });
  socket.write(bytes, 'latin1');
  await new Promise<void>((resolve) => socket.once('close', () => resolve()).once('error', () => resolve()));
  return answer;
}

async function toProxy(bytes: string): Promise<string> {
  const socket = connect(Number(inside.proxy.port), inside.proxy.hostname);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return exchange(socket, bytes);
}

async function tunnel(target: string, servername: string): Promise<TLSSocket> {
  const socket = connect(Number(inside.proxy.port), inside.proxy.hostname);
  socket.write(
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credentials()}\r\n\r\n`,
  );
  const head = await new Promise<string>((resolve) =>
    socket.once('data', (data) => resolve(data.toString())),
  );
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(head);
  const tls = connectTls({ socket, servername, ca: inside.caPem, ALPNProtocols: ['http/1.1'] });
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return tls;
}

/** Sends these bytes inside an intercepted tunnel to the API. */
async function toApi(bytes: string): Promise<string> {
  return exchange(await tunnel(`${hosts.api}:443`, hosts.api), bytes);
}

const seen = () => fixture.service.api.received.length;

function problemOf(answer: string): Record<string, unknown> {
  expect(answer).toMatch(/content-type: application\/problem\+json/i);
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

describe('the proxy', () => {
  it('serves nobody without the run’s credentials', async () => {
    for (const authorization of [
      '',
      'Proxy-Authorization: Basic cnVuOndyb25n\r\n',
      'Proxy-Authorization: Bearer x\r\n',
    ]) {
      const answer = await toProxy(
        `CONNECT ${hosts.api}:443 HTTP/1.1\r\nHost: ${hosts.api}:443\r\n${authorization}Connection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 407 /);
      expect(answer).toMatch(/proxy-authenticate: basic/i);
    }
  });

  it('leads to no API of the daemon', async () => {
    const target = `127.0.0.1:${fixture.port}`;
    const connectAnswer = await toProxy(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credentials()}\r\nConnection: close\r\n\r\n`,
    );
    expect(connectAnswer).toMatch(/^HTTP\/1\.1 403 /);
    const absolute = await toProxy(
      `GET http://${target}/health HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credentials()}\r\nConnection: close\r\n\r\n`,
    );
    expect(absolute).toMatch(/^HTTP\/1\.1 403 /);
    expect(absolute).not.toContain('"service"');
  });

  it.each([
    '127.0.0.1:22',
    'localhost:22',
    '[::1]:22',
    '[::]:22',
    '0.0.0.0:22',
    '169.254.169.254:80',
    '10.0.0.1:443',
    '[::ffff:127.0.0.1]:22',
    '2130706433:22',
  ])('refuses a tunnel to %s, which nobody named', async (target) => {
    const answer = await toProxy(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Basic ${credentials()}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 (400|403) /);
  });

  it('never sends a credential over plain http', async () => {
    const before = seen();
    const answer = await toProxy(
      `GET http://${hosts.api}/v1/me HTTP/1.1\r\nHost: ${hosts.api}\r\nProxy-Authorization: Basic ${credentials()}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(problemOf(answer)).toMatchObject({ code: 'PlainHttpRefused', status: 403 });
    expect(seen()).toBe(before);
  });
});

describe('inside an intercepted tunnel', () => {
  const ok = `GET /v1/me HTTP/1.1\r\nHost: ${hosts.api}\r\nConnection: close\r\n\r\n`;

  it('an honest request gets its response', async () => {
    expect(await toApi(ok)).toMatch(/^HTTP\/1\.1 200 /);
    expect(fixture.service.api.received.at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
  });

  it.each([
    ['two lengths', 'POST /v1/x HTTP/1.1\r\nHost: H\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
    [
      'a length and chunks',
      'POST /v1/x HTTP/1.1\r\nHost: H\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an unknown transfer coding',
      'POST /v1/x HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    ],
    ['a space before the colon', 'GET /v1/x HTTP/1.1\r\nHost: H\r\nContent-Length : 0\r\n\r\n'],
    ['a folded header', 'GET /v1/x HTTP/1.1\r\nHost: H\r\nX-A: b\r\n c\r\n\r\n'],
    ['a bare LF', 'GET /v1/x HTTP/1.1\nHost: H\n\n'],
    ['a NUL in a value', 'GET /v1/x HTTP/1.1\r\nHost: H\r\nX-A: b\0c\r\n\r\n'],
    ['a bare CR in a value', 'GET /v1/x HTTP/1.1\r\nHost: H\r\nX-A: b\rc\r\n\r\n'],
    [
      'a chunk size that is none',
      'POST /v1/x HTTP/1.1\r\nHost: H\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n',
    ],
    ['no Host', 'GET /v1/x HTTP/1.1\r\nX-A: b\r\n\r\n'],
    ['two Hosts', 'GET /v1/x HTTP/1.1\r\nHost: H\r\nHost: H\r\n\r\n'],
  ])('a request with %s is refused, and the connection closed', async (_what, bytes) => {
    const before = seen();
    const answer = await toApi(bytes.replaceAll('Host: H', `Host: ${hosts.api}`));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(problemOf(answer)).toMatchObject({ code: 'MalformedRequest' });
    expect(answer.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(seen()).toBe(before);
  });

  it('the Host decides nothing: another one is refused', async () => {
    const before = seen();
    const answer = await toApi(ok.replace(hosts.api, hosts.stranger));
    expect(answer).toMatch(/^HTTP\/1\.1 421 /);
    expect(problemOf(answer)).toMatchObject({ code: 'TargetMismatch' });
    expect(seen()).toBe(before);
  });

  it('the name in the TLS handshake has to be the tunnel’s', async () => {
    const before = seen();
    const attempt = tunnel(`${hosts.api}:443`, hosts.stranger).then((socket) => exchange(socket, ok));
    expect(await attempt.catch(() => 'refused')).not.toMatch(/^HTTP\/1\.1 200/);
    expect(seen()).toBe(before);
  });

  it('plain HTTP is refused, not crashed on', async () => {
    const before = seen();
    const head = `CONNECT ${hosts.api}:443 HTTP/1.1\r\nHost: ${hosts.api}:443\r\nProxy-Authorization: Basic ${credentials()}\r\n\r\n`;
    const answer = await toProxy(head + ok);
    expect(answer).not.toContain('ada');
    expect(seen()).toBe(before);
    expect(await toApi(ok)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('a refusal is a problem document that names a decision, which explain can show', async () => {
    const problem = problemOf(await toApi(ok.replace(hosts.api, hosts.stranger)));
    expect(problem).toMatchObject({ status: 421, title: expect.any(String), detail: expect.any(String) });
    const decision = String(problem.decision);
    const explained = await fixture.json(['explain', decision]);
    expect(explained).toMatchObject({ v: 1, decision, outcome: 'TargetMismatch' });
  });
});

describe('revoking', () => {
  it('takes effect on the very next request, on a tunnel that is open', async () => {
    await connectPixel(fixture);
    const running = fixture.startAuthsome(
      [
        'run',
        '--',
        process.execPath,
        '--input-type=module',
        '-e',
        `
        const ask = async () => { const r = await fetch('https://${hosts.keyApi}/v1/x').catch(() => ({ status: 0 })); return r.status; };
        console.log('first', await ask());
        process.stdin.once('data', async () => { console.log('second', await ask()); process.exit(0); });`,
      ],
      { stdin: 'open' },
    );
    await running.seen('stdout', /first 200/);
    expect((await fixture.authsome(['logout', 'pixel'])).code).toBe(0);
    const before = fixture.service.api.received.filter(
      (request) => request.headers['x-api-key'] === fixture.apiKey,
    ).length;
    running.type('go\n');
    const outcome = await running.ended;
    expect(outcome.stdout).toMatch(/second (?!200)/);
    const after = fixture.service.api.received.filter(
      (request) => request.headers['x-api-key'] === fixture.apiKey,
    ).length;
    expect(after).toBe(before);
  });
});
