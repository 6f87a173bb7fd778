import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { compileRoutes } from '../../providers/index.ts';
import { cleanupsAfterEach } from '../testing/test-cleanups.ts';
import {
  apiHost,
  ask,
  connectTo,
  dialProxy,
  dialThrough,
  type Fixture,
  type FixtureOptions,
  isComplete,
  openFixture,
  openFixtureWithApi,
  otherHost,
  problemOf,
  proxyAuthorization,
  routeTo,
  secret,
  serveRaw,
} from '../testing/test-fixture.ts';

const cleanups = cleanupsAfterEach();

const openWithApi = (options?: FixtureOptions) => openFixtureWithApi(cleanups, options);

describe('who may use the proxy', () => {
  const wrong: readonly (readonly [name: string, field: string])[] = [
    ['nobody without credentials', 'X-A: 1'],
    [
      'nobody with another token',
      `Proxy-Authorization: Basic ${Buffer.from('run:wrong').toString('base64')}`,
    ],
    ['nobody with an empty token', `Proxy-Authorization: Basic ${Buffer.from('run:').toString('base64')}`],
    ['nobody with a bearer token', 'Proxy-Authorization: Bearer x'],
    ['nobody with malformed credentials', 'Proxy-Authorization: Basic !!'],
  ];
  for (const [name, field] of wrong) {
    it(name, async () => {
      const { fixture, seen } = await openWithApi();
      const response = await ask(
        await dialProxy(fixture),
        `CONNECT ${apiHost}:443 HTTP/1.1`,
        `Host: ${apiHost}:443`,
        field,
      );
      expect(response).toMatch(/^HTTP\/1\.1 407 /);
      expect(response).toContain('Proxy-Authenticate: Basic');
      expect(problemOf(response)).toMatchObject({ code: 'ProxyAuthenticationRequired', status: 407 });
      expect(fixture.dials).toEqual([]);
      expect(seen).toEqual([]);
      expect(fixture.decisions).toHaveLength(1);
      expect(fixture.decisions[0]).toMatchObject({
        action: 'refused',
        outcome: 'ProxyAuthenticationRequired',
      });
    });
  }

  it('no client with two sets of credentials', async () => {
    const { fixture } = await openWithApi();
    const good = `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`;
    const response = await ask(
      await dialProxy(fixture),
      `CONNECT ${apiHost}:443 HTTP/1.1`,
      'Host: x',
      good,
      good,
    );
    expect(response).toMatch(/^HTTP\/1\.1 407 /);
  });

  it('no client after the run has ended, and what was open is closed', async () => {
    const { fixture } = await openWithApi();
    const inside = await dialThrough(fixture);
    await ask(inside, 'GET / HTTP/1.1', `Host: ${apiHost}`);
    const authorization = proxyAuthorization(fixture.run);
    fixture.run.end();
    await inside.until(() => false);
    expect(inside.ended).toBe(true);
    const response = await ask(
      await dialProxy(fixture),
      `CONNECT ${apiHost}:443 HTTP/1.1`,
      'Host: x',
      `Proxy-Authorization: ${authorization}`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 407 /);
  });

  it('the credentials of the proxy reach no upstream', async () => {
    const { fixture, seen } = await openWithApi();
    await ask(
      await dialThrough(fixture),
      'GET / HTTP/1.1',
      `Host: ${apiHost}`,
      `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
    );
    expect(JSON.stringify(seen)).not.toContain('proxy-authorization');
  });
});

describe('CONNECT = SNI = Host = certificate', () => {
  it('another Host is refused, and the upstream sees nothing', async () => {
    const { fixture, seen } = await openWithApi();
    const response = await ask(await dialThrough(fixture), 'GET / HTTP/1.1', `Host: ${otherHost}`);
    expect(response).toMatch(/^HTTP\/1\.1 421 /);
    expect(problemOf(response)).toMatchObject({ code: 'TargetMismatch' });
    expect(seen).toEqual([]);
    expect(fixture.dials).toEqual([]);
    expect(fixture.decisions).toHaveLength(1);
  });

  it.each([apiHost, `${apiHost}:`, `${apiHost}:0`, `${apiHost}:65536`, `a@${apiHost}:443`, '127.1:443'])(
    'CONNECT to %s learns what CONNECT takes, and opens nothing',
    async (target) => {
      const { fixture, seen } = await openWithApi();
      const response = await ask(
        await dialProxy(fixture),
        `CONNECT ${target} HTTP/1.1`,
        'Host: x',
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
      expect(problemOf(response)).toMatchObject({
        code: 'MalformedRequest',
        detail: expect.stringContaining('CONNECT takes a host and a port'),
      });
      expect(fixture.dials).toEqual([]);
      expect(seen).toEqual([]);
    },
  );

  it('another port in Host is refused', async () => {
    const { fixture, seen } = await openWithApi();
    expect(await ask(await dialThrough(fixture), 'GET / HTTP/1.1', `Host: ${apiHost}:8443`)).toMatch(
      /^HTTP\/1\.1 421 /,
    );
    expect(seen).toEqual([]);
  });

  it('another server name in the TLS handshake is refused', async () => {
    const { fixture, seen } = await openWithApi({ routes: [routeTo(apiHost), routeTo(otherHost)] });
    const response = await ask(
      await dialThrough(fixture, apiHost, { servername: otherHost }),
      'GET / HTTP/1.1',
      `Host: ${apiHost}`,
    );
    expect(problemOf(response)).toMatchObject({ code: 'TargetMismatch' });
    expect(seen).toEqual([]);
  });

  it('a client that offers HTTP/1.0 alone is served, and one that supports neither version is refused', async () => {
    const { fixture, seen } = await openWithApi();
    const old = await dialThrough(fixture, apiHost, { alpn: ['http/1.0'] });
    expect(await ask(old, 'GET / HTTP/1.0')).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toHaveLength(1);
    await expect(dialThrough(fixture, apiHost, { alpn: ['acme-tls/1'] })).rejects.toThrow();
    await vi.waitFor(() => expect(fixture.decisions).toHaveLength(2));
    expect(fixture.decisions[1]?.reason).toBe('the client supports neither HTTP/1 nor HTTP/2');
    expect(seen).toHaveLength(1);
  });

  it('a look-alike with user information, or an absolute target elsewhere, is refused', async () => {
    const { fixture, seen } = await openWithApi();
    for (const target of [
      `https://${otherHost}/`,
      `https://${apiHost}@${otherHost}/`,
      `https://${apiHost}:8443/`,
      `https://${apiHost}.evil.test/`,
    ]) {
      const response = await ask(await dialThrough(fixture), `GET ${target} HTTP/1.1`, `Host: ${apiHost}`);
      expect(response).toMatch(/^HTTP\/1\.1 4(00|21) /);
    }
    expect(seen).toEqual([]);
    expect(fixture.decisions).toHaveLength(4);
  });

  it('the same host in another spelling is the same host, and is sent in canonical form', async () => {
    const { fixture, seen } = await openWithApi();
    const client = await dialThrough(fixture);
    for (const host of [apiHost.toUpperCase(), `${apiHost}.`, `${apiHost}:443`]) {
      expect(await ask(client, 'GET /x HTTP/1.1', `Host: ${host}`)).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(await ask(client, `GET https://${apiHost}/y HTTP/1.1`, `Host: ${apiHost}`)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(seen.map(({ headers }) => headers.host)).toEqual([apiHost, apiHost, apiHost, apiHost]);
    expect(seen.map(({ line }) => line)).toEqual(['GET /x', 'GET /x', 'GET /x', 'GET /y']);
  });

  it('an upstream whose certificate is not for the host gets no request', async () => {
    const seen: string[] = [];
    const upstream = await serveRaw((tls) => tls.on('data', (chunk) => seen.push(String(chunk))), otherHost);
    const fixture = await openFixture();
    fixture.ports.set(`${apiHost}:443`, upstream.at);
    cleanups.push(
      () => upstream.close(),
      () => fixture.close(),
    );
    const response = await ask(await dialThrough(fixture), 'GET / HTTP/1.1', `Host: ${apiHost}`);
    expect(response).toMatch(/^HTTP\/1\.1 502 /);
    expect(seen).toEqual([]);
  });

  it('CONNECT to a malformed or numeric host is refused', async () => {
    const { fixture } = await openWithApi();
    for (const target of [
      'api.example.test',
      'api.example.test:0',
      'api.example.test:99999',
      'user@api.example.test:443',
      '127.1:443',
      '0x7f.1:443',
      '2130706433:443',
      '[::1%25eth0]:443',
      'a..b:443',
      'api_%41.test:443',
      '/x',
      '[::1:443',
    ]) {
      const response = await ask(
        await dialProxy(fixture),
        `CONNECT ${target} HTTP/1.1`,
        'Host: x',
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
      expect([target, response.slice(0, 12)]).toEqual([target, 'HTTP/1.1 400']);
    }
    expect(fixture.dials).toEqual([]);
  });
});

describe('plain HTTP', () => {
  it('inside a tunnel to a routed host is refused, never injected', async () => {
    const { fixture } = await openWithApi();
    const client = await dialProxy(fixture);
    await connectTo(client, fixture, `${apiHost}:443`);
    const response = await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`);
    expect(problemOf(response)).toMatchObject({ code: 'PlainHttpRefused' });
    expect(fixture.dials).toEqual([]);
    expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['PlainHttpRefused']);
  });

  it('to a routed host in absolute form is refused on every port', async () => {
    const { fixture } = await openWithApi();
    for (const url of [`http://${apiHost}/`, `http://${apiHost}:443/`, `http://${apiHost}:8080/`]) {
      const response = await ask(
        await dialProxy(fixture),
        `GET ${url} HTTP/1.1`,
        `Host: ${apiHost}`,
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
      expect(problemOf(response)).toMatchObject({ code: 'PlainHttpRefused' });
    }
    expect(fixture.dials).toEqual([]);
  });

  it('to any other host passes, without a credential and without hop-by-hop fields', async () => {
    const seen: NodeJS.Dict<unknown>[] = [];
    const server = createHttpServer((request, response) => {
      seen.push({ url: request.url, ...request.headers });
      response.end('plain');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { fixture } = await openWithApi();
    cleanups.push(() => server.close());
    fixture.ports.set('plain.test:80', (server.address() as AddressInfo).port);
    const client = await dialProxy(fixture);
    const authorization = `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`;
    const response = await ask(
      client,
      'GET http://plain.test/a?b=c HTTP/1.1',
      'Host: elsewhere.test',
      authorization,
      'Proxy-Connection: keep-alive',
    );
    expect(response).toMatch(/^HTTP\/1\.1 200 .*plain$/s);
    expect(seen).toEqual([{ url: '/a?b=c', host: 'plain.test' }]);
    expect(fixture.decisions[0]).toMatchObject({
      action: 'passed',
      request: { host: 'plain.test', port: 80, path: '/a' },
    });
    server.closeAllConnections();
  });

  it('neither TLS nor HTTP in a tunnel to a routed host is closed cleanly and recorded', async () => {
    const { fixture } = await openWithApi();
    const client = await dialProxy(fixture);
    await connectTo(client, fixture, `${apiHost}:443`);
    client.send(Buffer.from([0, 1, 2, 3]));
    expect(await client.until(() => false)).toBe('');
    expect(fixture.decisions.map(({ outcome }) => outcome)).toEqual(['MalformedRequest']);
  });
});

it('an https:// target in absolute form is answered as within a tunnel', async () => {
  const { fixture, seen } = await openWithApi();
  const client = await dialProxy(fixture);
  const response = await ask(
    client,
    `GET https://${apiHost}/v1?a=1 HTTP/1.1`,
    `Host: ${apiHost}`,
    `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
  );
  expect(response).toMatch(/^HTTP\/1\.1 200 /);
  expect(seen[0]).toMatchObject({ line: 'GET /v1?a=1', headers: { authorization: `Bearer ${secret}` } });
});

describe('a target in absolute form', () => {
  const askAbsolutely = async (fixture: Fixture, host: string) =>
    await ask(
      await dialProxy(fixture),
      `GET https://${host}/steal HTTP/1.1`,
      `Host: ${host}`,
      `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
    );

  it('gets no credential on a host that became a route after the run had started', async () => {
    const { fixture, seen } = await openWithApi();
    fixture.run.replaceRoutes(compileRoutes([routeTo(apiHost), routeTo('late.other.test')]), []);
    const response = await askAbsolutely(fixture, 'late.other.test');
    expect(response).toMatch(/^HTTP\/1\.1 403 /);
    expect(problemOf(response)).toMatchObject({ code: 'OperationNotAllowed' });
    expect([seen, fixture.dials]).toEqual([[], []]);
  });

  it('gets none when the run is too old either', async () => {
    let aheadMs = 0;
    const { fixture, seen } = await openWithApi({ nowMs: () => Date.now() + aheadMs });
    expect(await askAbsolutely(fixture, apiHost)).toMatch(/^HTTP\/1\.1 200 /);
    aheadMs = 24 * 60 * 60_000;
    expect(problemOf(await askAbsolutely(fixture, apiHost))).toMatchObject({ code: 'RunEnded' });
    expect(seen).toHaveLength(1);
  });
});

describe('addresses', () => {
  it('what the dialer forbids is refused, in a tunnel and in absolute form', async () => {
    const { fixture } = await openWithApi();
    for (const target of ['127.0.0.1:80', '[::]:80', 'localhost:80']) {
      const response = await ask(
        await dialProxy(fixture),
        `CONNECT ${target} HTTP/1.1`,
        'Host: x',
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
      expect(problemOf(response)).toMatchObject({ code: 'AddressForbidden', status: 403 });
      // All that most clients show of it.
      expect(response).toMatch(
        /^HTTP\/1\.1 403 Forbidden \(AddressForbidden: authsome explain dec_\w+\)\r\n/,
      );
    }
    expect(fixture.decisions).toHaveLength(3);
  });

  it('the API’s own port is out of reach, by name, by address and behind another name', async () => {
    let touched = 0;
    const api = createTcpServer(() => {
      touched += 1;
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const { port } = api.address() as AddressInfo;
    const fixture = await openFixture({ forbiddenTargets: [{ host: '127.0.0.1', port }], routes: [] });
    cleanups.push(
      () => api.close(),
      () => fixture.close(),
    );
    fixture.ports.set(`innocent.test:${port}`, port);
    fixture.ports.set('innocent.test:443', port);
    for (const target of [`127.0.0.1:${port}`, `innocent.test:${port}`, 'innocent.test:443']) {
      const response = await ask(
        await dialProxy(fixture),
        `CONNECT ${target} HTTP/1.1`,
        'Host: x',
        `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
      );
      expect(problemOf(response)).toMatchObject({ code: 'AddressForbidden' });
    }
    // The connection behind the other name was made, looked at, and closed before a byte went through.
    expect(touched).toBeLessThanOrEqual(2);
  });

  it('the proxy’s own port is out of reach too', async () => {
    const { fixture } = await openWithApi();
    const target = `127.0.0.1:${fixture.proxy.port}`;
    const response = await ask(
      await dialProxy(fixture),
      `CONNECT ${target} HTTP/1.1`,
      'Host: x',
      `Proxy-Authorization: ${proxyAuthorization(fixture.run)}`,
    );
    expect(problemOf(response)).toMatchObject({ code: 'AddressForbidden' });
  });
});

it('an internal error ends the connection and is recorded, and the daemon continues', async () => {
  let faults = 0;
  const { fixture, seen } = await openWithApi({
    spec: {
      decide: () => {
        faults += 1;
        if (faults === 1) throw new RangeError(`a bug that quotes ${secret}`);
        return { allowed: true, rule: undefined, reason: 'fine' };
      },
    },
  });
  const doomed = await dialThrough(fixture);
  doomed.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  expect(await doomed.until(() => false)).toBe('');
  expect(seen).toEqual([]);
  expect(fixture.decisions).toHaveLength(1);
  expect(fixture.decisions[0]).toMatchObject({ action: 'refused', outcome: 'Unexpected' });
  expect(JSON.stringify(fixture.decisions)).not.toContain(secret);
  expect(await ask(await dialThrough(fixture), 'GET / HTTP/1.1', `Host: ${apiHost}`)).toMatch(
    /^HTTP\/1\.1 200 /,
  );
});

it('a congested audit delays requests, and nothing is sent that is not recorded', async () => {
  let release = (): void => {};
  const drained = new Promise<void>((resolve) => {
    release = resolve;
  });
  let congested = false;
  let heldBack = 0;
  const { fixture, seen } = await openWithApi({
    sink: {
      get congested() {
        if (congested) heldBack += 1;
        return congested;
      },
      drained: () => drained,
    },
  });
  const client = await dialThrough(fixture);
  congested = true;
  client.send(`GET / HTTP/1.1\r\nHost: ${apiHost}\r\n\r\n`);
  const stranger = await dialProxy(fixture);
  stranger.send('GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n'.repeat(3));
  await expect.poll(() => heldBack).toBeGreaterThanOrEqual(2);
  expect(seen).toEqual([]);
  expect(fixture.decisions).toEqual([]);
  congested = false;
  release();
  expect(await client.until(isComplete)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await stranger.until((text) => text.split('HTTP/1.1 407 ').length === 4)).not.toContain(' 200 ');
  expect(fixture.decisions).toHaveLength(4);
});

it('the secret is nowhere but on the wire to the upstream', async () => {
  const { fixture, seen } = await openWithApi();
  const client = await dialThrough(fixture);
  let everything = '';
  for (const lines of [
    ['GET /ok HTTP/1.1', `Host: ${apiHost}`],
    ['GET /no HTTP/1.1', `Host: ${otherHost}`],
    ['GET /401 HTTP/1.1', `Host: ${apiHost}`, 'X-Status: 401'],
  ]) {
    everything += await ask(client, ...lines);
  }
  everything += await ask(client, 'GET / HTTP/1.1', `Host: ${apiHost}`, 'Bad : 1');
  everything +=
    JSON.stringify(fixture.decisions) +
    fixture.run.proxyUrl +
    fixture.run.caPem +
    JSON.stringify(fixture.run);
  expect(seen).toHaveLength(2);
  expect(everything).not.toContain(secret);
  expect(everything).not.toContain(Buffer.from(secret).toString('base64').slice(0, 12));
});
