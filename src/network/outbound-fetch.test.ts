import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createThrowawayCa } from '../../test/support/service/certificates.ts';
import { AuthsomeError } from '../errors.ts';
import type { Dialer, Fetch } from './contract.ts';
import { createDialer } from './dialer.ts';
import { outboundFetch } from './outbound-fetch.ts';

let server: Server;
let dialer: Dialer;
let call: Fetch;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: { method: string; url: string; authorization: string | undefined; body: string }[] = [];

beforeAll(async () => {
  const ca = await createThrowawayCa('Test roots');
  const { certPem, keyPem } = await ca.issue(['id.test']);
  server = createHttpsServer({ cert: certPem, key: keyPem }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, authorization: headers.authorization, body });
      answer(request, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  dialer = createDialer({
    extraRoots: [ca.caPem],
    overrides: [{ host: 'id.test', port: 443, address: '127.0.0.1', targetPort: port }],
    lookup: async () => ['10.0.0.1'],
  });
  call = outboundFetch(dialer, { publicOnly: false, maxBodyBytes: 1000, timeoutMs: 5_000 });
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests.length = 0;
  answer = (_, response) => response.end('{}');
});

async function failure(attempt: Promise<unknown>): Promise<AuthsomeError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AuthsomeError);
  const { message, hint } = error as AuthsomeError;
  expect(`${message} ${hint}`).not.toContain('hunter2');
  return error as AuthsomeError;
}

describe('a call of the daemon', () => {
  it('sends what it was given and returns a Response that has been read', async () => {
    answer = (_, response) => response.writeHead(201, { 'content-type': 'application/json' }).end('{"a":1}');
    const response = await call('https://id.test/token?x=1', {
      method: 'POST',
      headers: { authorization: 'Bearer hunter2' },
      body: new URLSearchParams({ code: 'c d' }),
    });
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({ a: 1 });
    expect(requests).toEqual([
      { method: 'POST', url: '/token?x=1', authorization: 'Bearer hunter2', body: 'code=c+d' },
    ]);
  });

  it('takes a Request as well', async () => {
    await call(new Request('https://id.test/a', { method: 'PUT', body: 'b' }));
    expect(requests).toEqual([{ method: 'PUT', url: '/a', authorization: undefined, body: 'b' }]);
  });

  it('returns refusals as they are, bodies or none', async () => {
    answer = (_, response) => response.writeHead(400).end('{"error":"invalid_grant"}');
    expect((await call('https://id.test/')).status).toBe(400);
    answer = (_, response) => response.writeHead(204).end();
    expect((await call('https://id.test/')).status).toBe(204);
  });

  it.each([301, 302, 303, 307, 308])('follows no redirect (%i)', async (status) => {
    answer = (_, response) =>
      response.writeHead(status, { location: 'https://evil.test/?code=hunter2' }).end();
    const error = await failure(call('https://id.test/'));
    expect(error.code).toBe('EndpointUnreachable');
    expect(error.message).toContain('redirect');
    expect(requests).toHaveLength(1);
    const redirect = await call('https://id.test/', { redirect: 'manual' });
    expect([redirect.status, [...redirect.headers], await redirect.text()]).toEqual([status, [], '']);
    expect(requests).toHaveLength(2);
  });

  it('accepts no body over its limit, compressed or not', async () => {
    answer = (_, response) => response.end('x'.repeat(1001));
    expect((await failure(call('https://id.test/'))).message).toContain('longer than 1000 bytes');
    answer = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(5_000)));
    expect((await failure(call('https://id.test/'))).message).toContain('longer than 1000 bytes');
    answer = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(1_000)));
    const response = await call('https://id.test/');
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(await response.text()).toBe('x'.repeat(1_000));
  });

  it('waits no longer than its limit, for the head or for the rest', async () => {
    const brief = outboundFetch(dialer, { publicOnly: false, timeoutMs: 60 });
    answer = () => {};
    expect((await failure(brief('https://id.test/'))).message).toContain('no complete response within');
    answer = (_, response) => {
      response.write('{');
    };
    expect((await failure(brief('https://id.test/'))).message).toContain('no complete response within');
  });

  it('says so when the response is cut off', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{');
      setImmediate(() => request.socket.destroy());
    };
    const error = await failure(call('https://id.test/'));
    expect(error.message).toBe(
      'id.test did not respond: the connection closed before the response was complete',
    );
  });

  it('ends with its caller', async () => {
    const controller = new AbortController();
    answer = () => controller.abort();
    expect((await failure(call('https://id.test/', { signal: controller.signal }))).code).toBe('Cancelled');
  });

  it.each(['http://id.test/', 'ftp://id.test/', 'http://127.0.0.1.evil.test/', 'data:,x'])(
    'goes to https only, not to %s',
    async (url) => {
      expect((await failure(call(url))).code).toBe('EndpointUnreachable');
      expect(requests).toEqual([]);
    },
  );

  it('may go to plain http on this machine', async () => {
    const local = createHttpServer((_, response) => response.end('here'));
    local.listen(0, '127.0.0.1');
    await once(local, 'listening');
    const url = `http://127.0.0.1:${(local.address() as AddressInfo).port}/`;
    expect(await (await call(url)).text()).toBe('here');
    const discovered = outboundFetch(dialer, { publicOnly: true });
    expect((await failure(discovered(url))).code).toBe('AddressForbidden');
    local.closeAllConnections();
    local.close();
  });

  it('to a discovered URL goes to no private address', async () => {
    const discovered = outboundFetch(dialer, { publicOnly: true });
    const error = await failure(discovered('https://inside.test/'));
    expect(error.code).toBe('AddressForbidden');
    // Nobody is told how to open an address that a stranger named.
    expect(error.hint).toBeUndefined();
    expect((await discovered('https://id.test/')).status).toBe(200);
  });

  it('says what was wrong with the peer', async () => {
    const wary = createDialer({
      overrides: [
        {
          host: 'id.test',
          port: 443,
          address: '127.0.0.1',
          targetPort: (server.address() as AddressInfo).port,
        },
      ],
    });
    const error = await failure(outboundFetch(wary, { publicOnly: false })('https://id.test/'));
    expect(error.code).toBe('EndpointUnreachable');
    expect(error.message).toContain('the certificate of id.test is not trusted');
  });

  it('with a value that no header can contain is refused without quoting it', async () => {
    const error = await failure(call('https://id.test/', { headers: { authorization: 'hunter2\r\nx: y' } }));
    expect(error.code).toBe('EndpointUnreachable');
    expect(requests).toEqual([]);
  });
});
