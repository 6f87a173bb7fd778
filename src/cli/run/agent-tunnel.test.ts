import { Agent, createServer, get } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { proxyFor, tunnelThroughProxy } from './agent-tunnel.ts';

const proxied = (host: string, noProxy = '', port?: number) =>
  proxyFor({ host, ...(port === undefined ? {} : { port }) }, true, {
    HTTPS_PROXY: 'http://run:t%40ken@127.0.0.1:4000',
    NO_PROXY: noProxy,
  }) !== undefined;

describe('the proxy for a connection', () => {
  it('is the one of its scheme, with its credentials', () => {
    const environment = { https_proxy: 'http://run:t%40ken@[::1]:4000', HTTP_PROXY: 'http://plain:80' };
    expect(proxyFor({ host: 'a.test' }, true, environment)).toEqual({
      host: '::1',
      port: 4000,
      authorization: `Basic ${Buffer.from('run:t@ken').toString('base64')}`,
    });
    expect(proxyFor({ host: 'a.test' }, false, environment)).toEqual({
      host: 'plain',
      port: 80,
      authorization: undefined,
    });
  });

  it('is none for what NO_PROXY names, by name, end, port or star', () => {
    expect(proxied('a.test')).toBe(true);
    expect(proxied('A.test', 'b.test, a.TEST')).toBe(false);
    expect(proxied('api.a.test', 'a.test')).toBe(true);
    expect(proxied('api.a.test', '.a.test')).toBe(false);
    expect(proxied('api.a.test', '*.a.test')).toBe(false);
    expect(proxied('nota.test', '*.a.test')).toBe(true);
    expect(proxied('a.test', 'a.test:8443')).toBe(true);
    expect(proxied('a.test', 'a.test:8443', 8443)).toBe(false);
    expect(proxied('::1', '127.0.0.1,::1')).toBe(false);
    expect(proxied('::1', '[::1]:443')).toBe(false);
    expect(proxied('::1', '[::1]:80')).toBe(true);
    expect(proxied('a.test', '*')).toBe(false);
  });

  it('is none for itself, for a path, for a socket that is there, and where the environment names none', () => {
    const environment = { HTTPS_PROXY: 'http://127.0.0.1:4000' };
    expect(proxyFor({ host: '127.0.0.1', port: 4000 }, true, environment)).toBeUndefined();
    expect(proxyFor({ socketPath: '/run/a.sock' }, true, environment)).toBeUndefined();
    expect(proxyFor({ host: 'a.test', socket: {} } as never, true, environment)).toBeUndefined();
    expect(proxyFor({ host: 'a.test' }, false, environment)).toBeUndefined();
    for (const HTTPS_PROXY of ['', 'nonsense', 'socks5://127.0.0.1:1', 'https://127.0.0.1:1'])
      expect(proxyFor({ host: 'a.test' }, true, { HTTPS_PROXY })).toBeUndefined();
  });
});

describe('an agent that was made to use the proxy', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const listen = (server: Server): Promise<number> => {
    servers.push(server);
    return new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    );
  };
  const agentWith = (proxyPort: number): Agent => {
    class Taught extends Agent {}
    const environment = { HTTP_PROXY: `http://run:token@127.0.0.1:${proxyPort}` };
    tunnelThroughProxy(Taught.prototype, false, environment);
    return new Taught({ keepAlive: true });
  };
  /** Resolves when the connection is free again. */
  const fetch = (agent: Agent): Promise<void> =>
    new Promise((resolve, reject) => {
      get('http://api.test:8080/path', { agent }, (response) => {
        response.resume().on('end', () => setImmediate(resolve));
      }).on('error', reject);
    });

  it('asks it for a tunnel, once for two requests, and sends its credentials nowhere else', async () => {
    const seen: unknown[] = [];
    const upstream = createServer((request, response) => {
      seen.push([request.url, request.headers.host, request.headers['proxy-authorization']]);
      response.end('ok');
    });
    const upstreamPort = await listen(upstream);
    const heads: string[] = [];
    const proxyPort = await listen(
      createTcpServer((socket) => {
        socket.once('data', (head) => {
          heads.push(head.toString());
          const onward = connect(upstreamPort, '127.0.0.1');
          socket.write('HTTP/1.1 200 OK\r\n');
          socket.write('\r\n');
          socket.pipe(onward).pipe(socket);
        });
      }),
    );
    const agent = agentWith(proxyPort);
    await fetch(agent);
    await fetch(agent);
    agent.destroy();
    const token = Buffer.from('run:token').toString('base64');
    expect(heads).toEqual([
      `CONNECT api.test:8080 HTTP/1.1\r\nHost: api.test:8080\r\nProxy-Authorization: Basic ${token}\r\n\r\n`,
    ]);
    expect(seen).toEqual([
      ['/path', 'api.test:8080', undefined],
      ['/path', 'api.test:8080', undefined],
    ]);
  });

  it.each([
    ['a refusal', 'HTTP/1.1 403 Forbidden\r\n\r\n', /403 Forbidden/],
    ['something else', 'SSH-2.0-x\r\n\r\n', /SSH/],
    ['an end', '', /closed/],
    [
      'a tunnel that speaks first',
      'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
      /before the tunnel was used/,
    ],
  ])('reports %s, and goes nowhere else', async (_what, answer, message) => {
    const proxyPort = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.end(answer))),
    );
    await expect(fetch(agentWith(proxyPort))).rejects.toMatchObject({
      code: 'ERR_PROXY_TUNNEL',
      message: expect.stringMatching(message),
    });
  });

  it('reports a proxy that has ended', async () => {
    const gone = await listen(createTcpServer());
    servers.pop()?.close();
    await expect(fetch(agentWith(gone))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
