import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  connectTo,
  dialProxy,
  dialThrough,
  type FixtureOptions,
  isComplete,
  openFixture,
  openFixtureWithApi,
  openFixtureWithRaw,
  otherHost,
  problemOf,
  proxyAuthorization,
  routeTo,
  secret,
  serveHttps,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();
const large = 'b'.repeat(100_000);

const openWithApi = (options?: FixtureOptions) => openFixtureWithApi(cleanups, options);

describe('revocation', () => {
  it('takes effect on the very next request', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    await ask(client, 'GET /1 HTTP/1.1', `Host: ${apiHost}`);
    fixture.credentials.delete('example/default');
    const response = await ask(client, 'GET /2 HTTP/1.1', `Host: ${apiHost}`);
    expect(problemOf(response)).toMatchObject({ code: 'CredentialExpired' });
    expect(seen).toHaveLength(1);
  });

  it('cuts what is in flight with the credential, and only that', async () => {
    const fixture = await openFixtureWithRaw(cleanups, (tls) => tls.on('data', () => {}), {
      routes: [routeTo(apiHost), routeTo(otherHost, { id: 'other', provider: 'other' })],
    });
    fixture.credentials.set('other/default', { version: 1, secret: 'other-secret' });
    const doomed = await dialThrough(fixture);
    const spared = await dialThrough(fixture, otherHost);
    doomed.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    while (fixture.decisions.length === 0) await new Promise((resolve) => setImmediate(resolve));
    fixture.run.dropConnection('example/default');
    await doomed.until(() => false);
    expect(doomed.ended).toBe(true);
    expect(spared.ended).toBe(false);
  });
});

describe('responses from a routed host', () => {
  it('401 and 403 keep their own body and gain the decision', async () => {
    const { fixture } = await openWithApi();
    const client = await dialThrough(fixture);
    for (const [index, status] of ['401', '403'].entries()) {
      const response = await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`, `X-Status: ${status}`);
      expect(response).toContain(`HTTP/1.1 ${status} `);
      expect(response).toContain('X-From: api');
      expect(response).toContain(`Authsome-Decision: ${fixture.decisions[index]?.id}\r\n`);
      expect(response).toMatch(/response/);
    }
  });

  it('401 and 403 gain a hint from the fields of the response', async () => {
    const asked: object[] = [];
    const api = await serveHttps((_, response) => {
      response.writeHead(403, [
        ['WWW-Authenticate', 'Basic realm="x"'],
        ['www-authenticate', 'Bearer error="insufficient_scope"'],
        ['Content-Length', '0'],
        ['Authsome-Hint', 'Run: what the upstream wants'],
      ]);
      response.end();
    });
    cleanups.push(() => api.close());
    const hints = ['Run: authsome login example', 'two\r\nX-Injected: lines', undefined];
    const fixture = await openFixture({
      routes: [routeTo(apiHost)],
      spec: {
        advise({ field, ...rest }) {
          asked.push({ ...rest, challenge: field('www-authenticate'), none: field('x-other') });
          return hints[asked.length - 1];
        },
      },
    });
    cleanups.push(() => fixture.close());
    fixture.ports.set(`${apiHost}:443`, api.at);
    const client = await dialThrough(fixture);
    expect(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`)).toContain(
      `Authsome-Hint: ${hints[0]}\r\n`,
    );
    for (const _ of [1, 2]) {
      const response = await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`);
      expect(response).toContain('Authsome-Decision');
      expect(response).not.toMatch(/Authsome-Hint|X-Injected/);
    }
    expect(asked[0]).toEqual({
      decision: fixture.decisions[0]?.id,
      connection: 'example/default',
      status: 403,
      challenge: 'Basic realm="x", Bearer error="insufficient_scope"',
      none: undefined,
    });
  });

  it('anything else is unchanged, and a passed request keeps its 401 unchanged', async () => {
    const { fixture } = await openWithApi({ routes: [routeTo(apiHost, { pathPrefix: '/v1' })] });
    const client = await dialThrough(fixture);
    expect(await ask(client, 'GET /v1 HTTP/1.1', `Host: ${apiHost}`)).not.toContain('Authsome-Decision');
    expect(await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`, 'X-Status: 401')).not.toContain(
      'Authsome-Decision',
    );
  });

  it.each([
    ['is met once by a renewed credential, with the same body', 'body', 200, [secret, 'renewed']],
    ['stands where the body was too large to keep, and the credential is renewed', large, 401, [secret]],
  ])('a 401 %s', async (_, body, status, carried) => {
    const renewals: unknown[] = [];
    const seen: string[] = [];
    const server = await serveHttps((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      request.on('end', () => {
        seen.push(`${request.headers.authorization} ${text}`);
        response.statusCode = request.headers.authorization === 'Bearer renewed' ? 200 : 401;
        response.end('x');
      });
    });
    const fixture = await openFixture({
      spec: {
        credentials: {
          peek: () => ({ version: 1, secret }),
          acquire: async () => ({ version: 1, secret }),
          renew: async (connection, rejected) => {
            renewals.push([connection, rejected.secret]);
            return { version: 2, secret: 'renewed' };
          },
        },
      },
    });
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => fixture.close(),
    );
    fixture.ports.set(`${apiHost}:443`, server.at);
    const client = await dialThrough(fixture);
    client.send(`POST / HTTP/1.1\r\nHost: ${apiHost}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    expect((await client.until(isComplete)).split(' ')[1]).toBe(String(status));
    expect(seen).toEqual(carried.map((own) => `Bearer ${own} ${body}`));
    expect(renewals).toEqual([['example/default', secret]]);
    expect(fixture.decisions).toHaveLength(1);
  });

  it('a 401 that repeats the rejected credential stays scrubbed, though a newer one exists that cannot be sent', async () => {
    let requests = 0;
    const server = await serveHttps((request, response) => {
      requests += 1;
      response.writeHead(401, { 'Content-Type': 'text/plain' });
      response.end(`${request.headers.authorization} and ${secret} are not accepted`);
    });
    const fixture = await openFixture({
      placements: [{ kind: 'basic', username: '', secretAs: 'username' }],
      spec: {
        credentials: {
          peek: () => ({ version: 1, secret }),
          acquire: async () => ({ version: 1, secret }),
          // A user name cannot contain a colon.
          renew: async () => ({ version: 2, secret: 'renewed:with-a-colon' }),
        },
      },
    });
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => fixture.close(),
    );
    fixture.ports.set(`${apiHost}:443`, server.at);
    const client = await dialThrough(fixture);
    client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\nConnection: close\r\n\r\n`);
    const response = await client.until(() => client.ended);
    expect(response).toContain(' 401 ');
    expect(response).toContain('are not accepted');
    expect(response).not.toContain(secret);
    expect(response).not.toContain(Buffer.from(`${secret}:`).toString('base64'));
    expect(requests).toBe(1);
  });
});

describe('connections to an upstream', () => {
  it('are reused, unless the upstream announced that it will close them', async () => {
    const sockets = new Set<object>();
    const api = await serveHttps((request, response) => {
      sockets.add(request.socket);
      const timeout = `timeout=${request.headers['x-timeout']}`;
      response.writeHead(200, { 'Keep-Alive': timeout, 'Content-Length': 0 }).end();
    });
    cleanups.push(() => api.close());
    const fixture = await openFixture({ routes: [routeTo(apiHost)] });
    cleanups.push(() => fixture.close());
    fixture.ports.set(`${apiHost}:443`, api.at);
    const client = await dialThrough(fixture);
    const openedWith = async (timeout: number): Promise<number> => {
      await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`, `X-Timeout: ${timeout}`);
      return sockets.size;
    };
    expect([
      await openedWith(30),
      await openedWith(30),
      await openedWith(2),
      await openedWith(2),
      await openedWith(30),
    ]).toEqual([1, 1, 1, 2, 3]);
  });
});

describe('WebSocket', () => {
  it('the handshake gets the credential, then frames pass unchanged both ways', async () => {
    const server = await serveHttps(() => {});
    const sockets = new WebSocketServer({ server });
    const authorizations: unknown[] = [];
    sockets.on('connection', (socket, request) => {
      authorizations.push(request.headers.authorization);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    const fixture = await openFixture();
    fixture.ports.set(`${apiHost}:443`, server.at);
    cleanups.push(
      () => server.close(),
      () => sockets.close(),
      () => server.closeAllConnections(),
      () => fixture.close(),
    );
    const client = await dialProxy(fixture);
    await connectTo(client, fixture, `${apiHost}:443`);
    client.socket.removeAllListeners('data');
    const ws = new WebSocket(`wss://${apiHost}/socket`, {
      createConnection: () =>
        connectTls({ socket: client.socket, servername: apiHost, ca: fixture.run.caPem }),
    });
    cleanups.push(() => ws.terminate());
    await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
    for (const message of ['hello', 'x'.repeat(300_000)]) {
      ws.send(message);
      const echoed = await new Promise<string>((resolve) =>
        ws.once('message', (data) => resolve(data.toString())),
      );
      expect(echoed).toBe(message);
    }
    expect(authorizations).toEqual([`Bearer ${secret}`]);
    const closed = new Promise((resolve) => ws.once('close', resolve));
    fixture.run.dropConnection('example/default');
    await closed;
  });
});

describe('a blind tunnel', () => {
  it('passes bytes both ways, half-closes, and is recorded once', async () => {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => chunks.push(chunk));
      socket.on('end', () => socket.end(Buffer.concat(chunks).reverse()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { fixture } = await openWithApi();
    cleanups.push(() => server.close());
    fixture.ports.set('blind.test:9', (server.address() as AddressInfo).port);
    const client = await dialProxy(fixture);
    // The first bytes may come along with CONNECT.
    client.send(
      `CONNECT blind.test:9 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: ${proxyAuthorization(fixture.run)}\r\n\r\nabc`,
    );
    await client.until((text) => text.includes('\r\n\r\n'));
    client.send('def');
    client.socket.end();
    expect(await client.until(() => false)).toBe('fedcba');
    expect(fixture.decisions).toHaveLength(1);
    expect(fixture.decisions[0]).toMatchObject({
      action: 'tunnelled',
      request: { method: 'CONNECT', host: 'blind.test', port: 9 },
    });
  });

  it('ends with its run', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { fixture } = await openWithApi();
    cleanups.push(() => server.close());
    fixture.ports.set('blind.test:9', (server.address() as AddressInfo).port);
    const client = await dialProxy(fixture);
    await connectTo(client, fixture, 'blind.test:9');
    fixture.run.end();
    await client.until(() => false);
    expect(client.ended).toBe(true);
  });
});

describe('timeouts', () => {
  it('an idle peer is cut off: no head, no handshake, no response, no next request', async () => {
    const timeouts = { headMs: 40, keepAliveMs: 40, exchangeMs: 40, lingerMs: 40 };
    const fixture = await openFixtureWithRaw(cleanups, (tls) => tls.on('data', () => {}), { timeouts });
    const half = await dialProxy(fixture);
    half.send('GET http://a.test/ HT');
    expect(await half.until(() => false)).toContain('the request head did not arrive in time');
    const unshaken = await dialProxy(fixture);
    await connectTo(unshaken, fixture, `${apiHost}:443`);
    await unshaken.until(() => false);
    const unanswered = await dialThrough(fixture);
    unanswered.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
    expect(await unanswered.until(() => false)).toContain('UpstreamTimeout');
    const idle = await dialThrough(fixture);
    expect(await idle.until(() => false)).toBe('');
  });

  it('an idle connection is kept for a run, but not for an unknown client', async () => {
    const { fixture } = await openWithApi({ timeouts: { headMs: 60, keepAliveMs: 60_000 } });
    const [known, unknown] = [await dialProxy(fixture), await dialProxy(fixture)];
    const asked = `GET http://${apiHost}/ HTTP/1.1\r\nHost: ${apiHost}\r\n`;
    known.send(`${asked}Proxy-Authorization: ${proxyAuthorization(fixture.run)}\r\n\r\n`);
    unknown.send(`${asked}\r\n`);
    expect(await known.until(isComplete)).toContain('PlainHttpRefused');
    expect(await unknown.until(isComplete)).toContain('ProxyAuthenticationRequired');
    await unknown.until(() => false);
    expect([known.ended, unknown.ended]).toEqual([false, true]);
    known.socket.destroy();
  });

  it('a tunnel may be idle for long, but not once one side has ended', async () => {
    const silent = createTcpServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => silent.close());
    const fixture = await openFixture({ timeouts: { halfClosedMs: 40, tunnelMs: 60_000 } });
    cleanups.push(() => fixture.close());
    fixture.ports.set('blind.test:9', (silent.address() as AddressInfo).port);
    const [open, ended] = [await dialProxy(fixture), await dialProxy(fixture)];
    for (const client of [open, ended]) await connectTo(client, fixture, 'blind.test:9');
    ended.socket.end();
    await ended.until(() => false);
    expect([ended.ended, open.ended]).toEqual([true, false]);
    open.socket.destroy();
  });
});
