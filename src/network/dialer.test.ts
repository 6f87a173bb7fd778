import { once } from 'node:events';
import { type AddressInfo, createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createThrowawayCa, type ThrowawayCa } from '../../test/support/service/certificates.ts';
import { AuthsomeError } from '../errors.ts';
import { createDialer, type DialerOptions, interleaved } from './dialer.ts';
import { connectFailure, tlsFailure } from './failure.ts';
import { parseProxyEnvironment } from './upstream-proxy.ts';

let ca: ThrowawayCa;
let api: TlsServer;
let plain: Server;
/** Everything the upstreams were sent or asked for. */
const seen: string[] = [];
const opened: (Server | TlsServer)[] = [];
const sockets = new Set<Socket>();

function track<T extends Server | TlsServer>(server: T): T {
  opened.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  return server;
}

async function listening<T extends Server | TlsServer>(server: T): Promise<T> {
  track(server).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server | TlsServer): number {
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  ca = await createThrowawayCa('Test roots');
  const { certPem, keyPem } = await ca.issue(['api.test', 'proxy.test']);
  api = await listening(
    createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      seen.push(`tls ${socket.servername || 'no name'} ${socket.alpnProtocol || 'no protocol'}`);
      socket.on('error', () => {});
      socket.write('hello');
    }),
  );
  api.on('tlsClientError', () => {});
  plain = await listening(
    createServer((socket) => {
      seen.push('plain');
      socket.write('hello');
    }),
  );
});
afterEach(() => {
  seen.length = 0;
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of opened) server.close();
});

function dialer(options: DialerOptions = {}) {
  return createDialer({
    extraRoots: [ca.caPem],
    lookup: async () => ['127.0.0.1'],
    connectTimeoutMs: 5_000,
    ...options,
  });
}

/** Where `api.test:443` really is. */
function override(server: Server | TlsServer = api, host = 'api.test') {
  return { host, port: 443, address: '127.0.0.1', targetPort: portOf(server) };
}

const toApi = { host: 'api.test', port: 443, allowPrivateAddress: false, alpn: ['http/1.1'] };

async function said(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return data.toString();
}

async function failure(attempt: Promise<unknown>): Promise<AuthsomeError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AuthsomeError);
  return error as AuthsomeError;
}

describe('a plain connection', () => {
  it('goes to the address that was checked, without another lookup', async () => {
    const asked: string[] = [];
    const lookup = async (host: string): Promise<string[]> => {
      asked.push(host);
      return asked.length === 1 ? ['127.0.0.1'] : ['10.0.0.1'];
    };
    const socket = await dialer({ lookup }).connect({
      host: 'API.test.',
      port: portOf(plain),
      allowPrivateAddress: true,
    });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(await said(socket)).toBe('hello');
    expect(asked).toEqual(['api.test']);
  });

  it.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::', '0.0.0.0', '::ffff:127.0.0.1'])(
    'is refused when the name leads to %s',
    async (address) => {
      const asked = { host: 'api.test', port: portOf(plain), allowPrivateAddress: false };
      const error = await failure(dialer({ lookup: async () => [address] }).connect(asked));
      expect(error.code).toBe('AddressForbidden');
      expect(error.message).toContain(address);
      expect(seen).toEqual([]);
    },
  );

  it.each(['127.0.0.1', '[::1]', '0.0.0.0', '[::]', '[::ffff:7f00:1]'])(
    'is refused to the address %s itself',
    async (host) => {
      const error = await failure(
        dialer().connect({ host, port: portOf(plain), allowPrivateAddress: false }),
      );
      expect(error.code).toBe('AddressForbidden');
      expect(seen).toEqual([]);
    },
  );

  it.each(['2130706433', '127.1', '0x7f.1', '017700000001', 'a..b/', 'a b', 'x\r\ny', '', 'fe80::1%lo'])(
    'is refused to %j, which is no host',
    async (host) => {
      const asked: string[] = [];
      const lookup = async (name: string): Promise<string[]> => {
        asked.push(name);
        return ['127.0.0.1'];
      };
      const error = await failure(
        dialer({ lookup }).connect({ host, port: portOf(plain), allowPrivateAddress: true }),
      );
      expect(error.code).toBe('AddressForbidden');
      expect(asked).toEqual([]);
    },
  );

  it.each([
    ['api.test', 'fd00::7', 'AUTHSOME_RESOLVE=api.test:443:[fd00::7],'],
    ['[::1]', '::1', 'AUTHSOME_RESOLVE=[::1]:443:[::1],'],
    ['10.0.0.7', '10.0.0.7', 'AUTHSOME_RESOLVE=10.0.0.7:443:10.0.0.7,'],
  ])('is refused to %s at %s with a hint that can be pasted', async (host, address, hint) => {
    const lookup = async (): Promise<string[]> => [address];
    const error = await failure(dialer({ lookup }).connect({ host, port: 443, allowPrivateAddress: false }));
    expect(error.hint).toContain(hint);
  });

  it('leaves out the addresses that are forbidden and takes the others', async () => {
    const lookup = async (): Promise<string[]> => ['169.254.169.254', '127.0.0.1'];
    const socket = await dialer({ lookup }).connect({
      host: 'api.test',
      port: portOf(plain),
      allowPrivateAddress: true,
    });
    expect(await said(socket)).toBe('hello');
  });

  it('tries the next address when one refuses', async () => {
    const lookup = async (): Promise<string[]> => ['127.0.0.99', '::1', '127.0.0.1'];
    const socket = await dialer({ lookup }).connect({
      host: 'api.test',
      port: portOf(plain),
      allowPrivateAddress: true,
    });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('to an override needs no permission, for that host and port only', async () => {
    const overrides = [override(plain)];
    const socket = await dialer({ overrides }).connect({ ...toApi });
    expect(await said(socket)).toBe('hello');
    const elsewhere = await failure(dialer({ overrides }).connect({ ...toApi, port: 8443 }));
    expect(elsewhere.code).toBe('AddressForbidden');
  });

  it('says what kept it from being made', async () => {
    const closed = await listening(createServer());
    const port = portOf(closed);
    closed.close();
    const refused = await failure(dialer().connect({ host: 'api.test', port, allowPrivateAddress: true }));
    expect(refused).toMatchObject({ code: 'UpstreamUnreachable' });
    expect(refused.message).toBe(`cannot reach api.test:${port}: the connection was refused`);
    const lookup = (): Promise<string[]> =>
      Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    const unknown = await failure(dialer({ lookup }).connect(toApi));
    expect(unknown.message).toBe('cannot reach api.test:443: its name does not resolve');
  });

  it('ends when there is no response in time, and when it is cancelled', async () => {
    const lookup = (): Promise<string[]> => new Promise(() => {});
    const late = await failure(dialer({ lookup, connectTimeoutMs: 20 }).connect(toApi));
    expect(late.code).toBe('UpstreamTimeout');
    const controller = new AbortController();
    const pending = failure(dialer({ lookup }).connect({ ...toApi, signal: controller.signal }));
    controller.abort();
    expect((await pending).code).toBe('Cancelled');
  });
});

describe('a TLS connection', () => {
  it('is verified for the host, wherever the address came from, and speaks what was agreed', async () => {
    const socket = await dialer({ overrides: [override()] }).connectTls({
      ...toApi,
      alpn: ['h2', 'http/1.1'],
    });
    expect(socket.authorized).toBe(true);
    expect(socket.alpnProtocol).toBe('h2');
    expect(await said(socket)).toBe('hello');
    expect(seen).toEqual(['tls api.test h2']);
  });

  it('is refused when the root is not trusted', async () => {
    const error = await failure(dialer({ overrides: [override()], extraRoots: [] }).connectTls(toApi));
    expect(error.code).toBe('UpstreamUntrusted');
    expect(error.message).toBe('the certificate of api.test is not trusted: its issuer is not known');
    expect(error.hint).toContain('AUTHSOME_EXTRA_CA_CERTS');
  });

  it('is refused when the certificate is for another name, or the host is an address', async () => {
    const overrides = [override(api, 'other.test')];
    const error = await failure(dialer({ overrides }).connectTls({ ...toApi, host: 'other.test' }));
    expect(error.message).toBe('the certificate of other.test is not trusted: it is for another name');
    const byAddress = { ...toApi, host: '127.0.0.1', port: portOf(api), allowPrivateAddress: true };
    expect((await failure(dialer().connectTls(byAddress))).code).toBe('UpstreamUntrusted');
  });

  it('is refused by name when the peer does not speak TLS', async () => {
    const error = await failure(dialer({ overrides: [override(plain)] }).connectTls(toApi));
    expect(error).toMatchObject({
      code: 'UpstreamUntrusted',
      message: 'api.test does not speak TLS on that port',
    });
  });

  it('is refused by name when the peer speaks another version of HTTP, and not as untrusted', async () => {
    const { certPem, keyPem } = await ca.issue(['api.test']);
    const modern = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ['h2'] });
    modern.on('tlsClientError', () => {});
    const error = await failure(dialer({ overrides: [override(await listening(modern))] }).connectTls(toApi));
    expect(error).toMatchObject({
      code: 'UpstreamUnreachable',
      message: 'api.test does not support the offered HTTP version',
      hint: 'It may support only HTTP/2: use a client that does, or enable it in this one.',
    });
  });

  it('that is broken off is unreachable, and one that stalls is too late', async () => {
    const rude = await listening(createServer((socket) => socket.destroy()));
    const broken = await failure(dialer({ overrides: [override(rude)] }).connectTls(toApi));
    expect(broken.code).toBe('UpstreamUnreachable');
    const mute = await listening(createServer(() => {}));
    const late = await failure(
      dialer({ overrides: [override(mute)], connectTimeoutMs: 50 }).connectTls(toApi),
    );
    expect(late.code).toBe('UpstreamTimeout');
  });

  it('resumes the session of the one before, again and again', async () => {
    const dial = dialer({ overrides: [override()] });
    const reused: boolean[] = [];
    for (let round = 0; round < 4; round += 1) {
      const socket: TLSSocket = await dial.connectTls(toApi);
      reused.push(socket.isSessionReused());
      await said(socket);
    }
    expect(reused).toEqual([false, true, true, true]);
  });
});

describe('an upstream proxy', () => {
  /** An HTTP proxy that answers as given, or else connects to the API. */
  function httpProxy(answer?: string) {
    return (client: Socket): void => {
      let head = '';
      client.on('error', () => {});
      client.on('data', function read(chunk: Buffer) {
        head += chunk.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        client.off('data', read);
        seen.push(head);
        if (answer !== undefined) {
          client.end(answer);
          return;
        }
        const upstream = netConnect(portOf(api), '127.0.0.1', () => {
          client.write('HTTP/1.1 200 Connection established\r\nX-Any: thing\r\n\r\n');
          upstream.pipe(client).pipe(upstream);
        });
        upstream.on('error', () => client.destroy());
      });
    };
  }

  function through(url: string, options: DialerOptions = {}) {
    return dialer({ proxies: parseProxyEnvironment({ HTTPS_PROXY: url }), ...options });
  }

  it('is asked with its password, and the TLS goes end to end', async () => {
    const proxy = await listening(createServer(httpProxy()));
    const url = `http://ada:s%40cret@127.0.0.1:${portOf(proxy)}`;
    const socket = await through(url).connectTls(toApi);
    expect(await said(socket)).toBe('hello');
    expect(seen[0]).toBe(
      'CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n' +
        `Proxy-Authorization: Basic ${Buffer.from('ada:s@cret').toString('base64')}\r\n\r\n`,
    );
    expect(seen[1]).toBe('tls api.test http/1.1');
  });

  it('may itself be reached over TLS', async () => {
    const { certPem, keyPem } = await ca.issue(['proxy.test']);
    const proxy = await listening(createTlsServer({ cert: certPem, key: keyPem }, httpProxy()));
    const socket = await through(`https://proxy.test:${portOf(proxy)}`).connectTls(toApi);
    expect(await said(socket)).toBe('hello');
    expect(seen[0]).toMatch(/^CONNECT api\.test:443 /);
  });

  it.each([
    ['HTTP/1.1 407 No\r\n\r\n', 'it rejects the password'],
    ['HTTP/1.1 403 No\r\n\r\n', 'it refuses to connect to api.test:443 (status 403)'],
    ['SSH-2.0-x\r\n\r\n', 'it does not speak HTTP'],
    ['HTTP/1.1 2', 'it closed the connection'],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`, 'it closed the connection'],
  ])('that replies %.20j is reported without its password', async (answer, reason) => {
    const proxy = await listening(createServer(httpProxy(answer)));
    const error = await failure(through(`http://ada:hunter2@127.0.0.1:${portOf(proxy)}`).connectTls(toApi));
    expect(error.code).toBe('UpstreamUnreachable');
    expect(error.message).toContain(reason);
    expect(`${error.message} ${error.hint}`).not.toMatch(/hunter2|ada/);
  });

  it('that cannot be reached is named as the proxy that it is, with what to check', async () => {
    const gone = await listening(createServer());
    const port = portOf(gone);
    await new Promise((closed) => gone.close(closed));
    const lookup = async (): Promise<never> => {
      throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    };
    const refused = await failure(through(`http://127.0.0.1:${port}`).connectTls(toApi));
    expect(refused.message).toBe(
      `cannot connect through proxy 127.0.0.1:${port}: the connection was refused`,
    );
    expect(refused.hint).toContain('HTTPS_PROXY');
    const unknown = await failure(through('http://proxy.test:3128', { lookup }).connectTls(toApi));
    expect(unknown.message).toBe('cannot connect through proxy proxy.test:3128: its name does not resolve');
  });

  it('is not used for overrides and this machine', async () => {
    const proxy = await listening(createServer(httpProxy()));
    const options = { overrides: [override()] };
    const socket = await through(`http://127.0.0.1:${portOf(proxy)}`, options).connectTls(toApi);
    expect(await said(socket)).toBe('hello');
    expect(seen).toEqual(['tls api.test http/1.1']);
  });

  it('is never asked for a forbidden address or a metadata service', async () => {
    const proxy = await listening(createServer(httpProxy()));
    for (const host of ['169.254.169.254', '10.0.0.1', 'metadata.google.internal']) {
      const error = await failure(
        through(`http://127.0.0.1:${portOf(proxy)}`).connectTls({ ...toApi, host }),
      );
      expect(error.code).toBe('AddressForbidden');
    }
    expect(seen).toEqual([]);
  });

  /** SOCKS 5 with user name and password, one step per message, and then the API. */
  function socksProxy(reply = 0) {
    return (client: Socket): void => {
      const steps = [
        Buffer.from([5, 2]),
        Buffer.from([1, 0]),
        Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]),
      ];
      client.on('error', () => {});
      client.on('data', function read(chunk: Buffer) {
        const step = steps.shift();
        seen.push(chunk.toString('latin1'));
        if (step !== undefined && steps.length > 0) {
          client.write(step);
          return;
        }
        client.off('data', read);
        const upstream = netConnect(portOf(api), '127.0.0.1', () => {
          client.write(step ?? '');
          upstream.pipe(client).pipe(upstream);
        });
        upstream.on('error', () => client.destroy());
      });
    };
  }

  it('of SOCKS 5 is given the name, where the proxy does the lookup', async () => {
    const proxy = await listening(createServer(socksProxy()));
    const socket = await through(`socks5h://ada:pw@127.0.0.1:${portOf(proxy)}`).connectTls(toApi);
    expect(await said(socket)).toBe('hello');
    expect(seen.slice(0, 3)).toEqual([
      '\x05\x02\x00\x02',
      '\x01\x03ada\x02pw',
      '\x05\x01\x00\x03\x08api.test\x01\xbb',
    ]);
  });

  it('of SOCKS 5 is given the checked address, where the daemon does the lookup', async () => {
    const proxy = await listening(createServer(socksProxy()));
    const url = `socks5://ada:pw@127.0.0.1:${portOf(proxy)}`;
    const lookup = async (host: string): Promise<string[]> =>
      host === 'api.test' ? ['93.184.216.34'] : [host];
    const socket = await through(url, { lookup }).connectTls(toApi);
    expect(await said(socket)).toBe('hello');
    expect(seen[2]).toBe('\x05\x01\x00\x01\x5d\xb8\xd8\x22\x01\xbb');
    const refused = await failure(through(url, { lookup: async () => ['127.0.0.1'] }).connectTls(toApi));
    expect(refused.code).toBe('AddressForbidden');
  });

  it('of SOCKS 5 says why it cannot', async () => {
    const proxy = await listening(createServer(socksProxy(5)));
    const error = await failure(through(`socks5h://ada:pw@127.0.0.1:${portOf(proxy)}`).connectTls(toApi));
    expect(error.message).toContain('it cannot connect to api.test:443 (connection refused)');
  });
});

describe('failures', () => {
  it('never repeat what the peer said', () => {
    const error = Object.assign(new Error('secret'), { code: 'with secret' });
    for (const failure of [tlsFailure('a.test', error), connectFailure('a.test', 1, error)]) {
      expect(`${failure.message} ${failure.hint}`).not.toContain('secret');
    }
  });

  it('name an expired certificate', () => {
    const error = tlsFailure('a.test', Object.assign(new Error(), { code: 'CERT_HAS_EXPIRED' }));
    expect(error).toMatchObject({
      code: 'UpstreamUntrusted',
      message: 'the certificate of a.test is not trusted: it has expired',
    });
  });
});

describe('addresses of two families', () => {
  it('take turns, the first one first', () => {
    expect(interleaved(['::1', '::2', '::3', '1.1.1.1'])).toEqual(['::1', '1.1.1.1', '::2', '::3']);
    expect(interleaved([])).toEqual([]);
  });
});
