import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createSecureServer, connect as http2Connect } from 'node:http2';
import { type AddressInfo, connect as netConnect, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { createCertificateAuthority } from '../../src/proxy/ca/index.ts';

/**
 * The upstream and the load generator of `bench/go` once more, with the same arguments and the same output, for
 * machines without Go. It asks for more CPU than Go's, so its figures stand beside each other and not beside Go's.
 */
const [command, ...rest] = process.argv.slice(2);
const flags = new Map<string, string>();
for (let index = 0; index < rest.length; index += 2) flags.set(rest[index] ?? '', rest[index + 1] ?? '');
const flag = (name: string): string => flags.get(`-${name}`) ?? '';

const json = '{"ok":true,"items":[1,2,3]}';
const answer = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function serve(): Promise<void> {
  const hosts = ['localhost', 'blind.test'];
  const authority = createCertificateAuthority({ runId: 'bench', hosts, nowMs: Date.now, randomBytes });
  writeFileSync(flag('ca-out'), authority.pem);
  const contexts = new Map(hosts.map((host) => [host, authority.contextFor(host)]));
  const options = {
    ...authority.leafFor('localhost'),
    SNICallback: (
      name: string,
      done: (error: null, context: ReturnType<typeof authority.contextFor> | undefined) => void,
    ) => done(null, contexts.get(name)),
  };
  const one = createTlsServer({ ...options, ALPNProtocols: ['http/1.1'], noDelay: true }, answerByHand);
  const two = createSecureServer(options, (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(json);
  });
  print({ http1: await listen(one), http2: await listen(two) });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function answerByHand(socket: TLSSocket): void {
  socket.on('error', () => socket.destroy());
  let head = '';
  let bodyLeft = 0;
  socket.on('data', (chunk: Buffer) => {
    let position = 0;
    while (position < chunk.length) {
      if (bodyLeft > 0) {
        const taken = Math.min(bodyLeft, chunk.length - position);
        bodyLeft -= taken;
        position += taken;
        if (bodyLeft === 0) answerTo(socket, head);
        continue;
      }
      const end = chunk.indexOf('\r\n\r\n', position);
      if (end === -1) throw new Error('the bench sends each head at once');
      head = chunk.toString('latin1', position, end);
      position = end + 4;
      bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      if (bodyLeft === 0) answerTo(socket, head);
    }
  });
}

function answerTo(socket: TLSSocket, head: string): void {
  const [, kind, count = '0'] = /^GET \/(big|events)\/(\d+) /.exec(head) ?? [];
  if (kind === 'big') void sendBig(socket, Number(count));
  else if (kind === 'events') sendEvents(socket, Number(count));
  else socket.write(answer);
}

async function sendBig(socket: TLSSocket, size: number): Promise<void> {
  const block = Buffer.alloc(64 * 1024);
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`,
  );
  for (let left = size; left > 0; left -= block.length) {
    if (!socket.write(block.subarray(0, left))) await once(socket, 'drain');
  }
}

function sendEvents(socket: TLSSocket, count: number): void {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
  let sent = 0;
  const timer = setInterval(() => {
    const event = `data: ${process.hrtime.bigint()}\n\n`;
    socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
    sent += 1;
    if (sent < count) return;
    clearInterval(timer);
    socket.write('0\r\n\r\n');
  }, 2);
}

async function load(): Promise<unknown> {
  const count = Number(flag('connections') || 1);
  const size = Number(flag('size') || 0);
  const forMs = Number.parseFloat(flag('for') || '1') * 1000;
  const target = flag('target');
  const head = (line: string): string => `${line} HTTP/1.1\r\nHost: ${target}\r\n`;
  const phantom = 'Authorization: Bearer phantom-value-of-usual-length\r\n';
  switch (flag('mode')) {
    case 'big':
      return big(head(`GET /big/${size}`), size);
    case 'events':
      return events(head(`GET /events/${size}`));
    case 'connections':
      return connections(`${head('GET /')}\r\n`, count, forMs);
    case 'http2':
      return http2(count, forMs);
    case 'post': {
      const body = 'x'.repeat(64 * 1024);
      return repeat(`${head('POST /v1/things')}Content-Length: ${body.length}\r\n\r\n${body}`, count, forMs);
    }
    default:
      return repeat(
        `${head('GET /v1/things?page=1')}Accept: application/json\r\n${phantom}\r\n`,
        count,
        forMs,
      );
  }
}

/** A TLS connection to the target, through the proxy where one is named; answers are read from it one by one. */
class Connection {
  readonly socket: TLSSocket;
  #received = '';
  #waiting: ((text: string) => void) | undefined;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.on('error', () => socket.destroy());
  }

  static async open(protocol: 'h2' | 'http/1.1' = 'http/1.1'): Promise<Connection> {
    const [host = '', port = ''] = flag('target').split(':');
    const via = flag('via') === '' ? undefined : flag('via').split(':');
    const socket = netConnect({ host: via?.[0] ?? host, port: Number(via?.[1] ?? port), noDelay: true });
    await once(socket, 'connect');
    // `-`: a pipe to the target, which takes no CONNECT.
    if (via !== undefined && flag('auth') !== '-') await openTunnel(socket);
    const ca = readFileSync(flag('ca'), 'utf8');
    const tls = tlsConnect({ socket, servername: host, ca, ALPNProtocols: [protocol] });
    await once(tls, 'secureConnect');
    return new Connection(tls);
  }

  listen(): this {
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      const end = this.#received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#received.slice(0, end))?.[1]);
      if (this.#received.length < end + 4 + length) return;
      const whole = this.#received;
      this.#received = '';
      this.#waiting?.(whole);
    });
    return this;
  }

  async exchange(request: string): Promise<void> {
    const whole = await new Promise<string>((resolve, reject) => {
      this.#waiting = resolve;
      this.socket.once('close', reject);
      this.socket.write(request);
    });
    this.socket.removeAllListeners('close');
    if (!whole.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer ${whole.slice(0, 200)}`);
  }
}

async function openTunnel(socket: Socket): Promise<void> {
  const auth = flag('auth');
  const credential = Buffer.from(auth).toString('base64');
  const line = auth === '' ? '' : `Proxy-Authorization: Basic ${credential}\r\n`;
  socket.write(`CONNECT ${flag('target')} HTTP/1.1\r\nHost: ${flag('target')}\r\n${line}\r\n`);
  const [received] = (await once(socket, 'data')) as [Buffer];
  if (!received.includes(' 200 ')) throw new Error(`the proxy answered ${received}`);
}

/** `work` again and again on each of `count` workers until the time is over. */
async function workers(count: number, forMs: number, work: (index: number) => Promise<void>) {
  const began = performance.now();
  const times: number[] = [];
  let failures = 0;
  const worker = async (index: number): Promise<void> => {
    for (let before = performance.now(); before - began < forMs; before = performance.now()) {
      try {
        await work(index);
        times.push(performance.now() - before);
      } catch {
        failures += 1;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => worker(index)));
  const perSecond = times.length / ((performance.now() - began) / 1000);
  return { requests: times.length, perSecond, p50us: medianOf(times) * 1000, failures };
}

function medianOf(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

async function repeat(request: string, count: number, forMs: number): Promise<unknown> {
  const open = await Promise.all(Array.from({ length: count }, () => Connection.open()));
  for (const connection of open) await connection.listen().exchange(request);
  return await workers(count, forMs, async (index) => open[index]?.exchange(request));
}

async function connections(request: string, count: number, forMs: number): Promise<unknown> {
  const { perSecond, failures } = await workers(count, forMs, async () => {
    const connection = await Connection.open();
    await connection.listen().exchange(request);
    connection.socket.destroy();
  });
  return { perSecond, failures };
}

async function big(head: string, size: number): Promise<unknown> {
  const { socket } = await Connection.open();
  const began = performance.now();
  socket.write(`${head}\r\n`);
  let left = size;
  await new Promise<void>((resolve, reject) => {
    socket.on('close', reject).on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) resolve();
    });
  });
  return { megabytesPerSecond: size / 1e3 / (performance.now() - began) };
}

async function events(head: string): Promise<unknown> {
  const { socket } = await Connection.open();
  socket.write(`${head}\r\n`);
  const delays: number[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('close', reject).on('data', (chunk: Buffer) => {
      const now = process.hrtime.bigint();
      const text = chunk.toString('latin1');
      for (const [, sent = '0'] of text.matchAll(/data: (\d+)\n/g)) delays.push(Number(now - BigInt(sent)));
      if (text.endsWith('0\r\n\r\n')) resolve();
    });
  });
  return { events: delays.length, p50us: medianOf(delays) / 1000 };
}

async function http2(streams: number, forMs: number): Promise<unknown> {
  const { socket } = await Connection.open('h2');
  const session = http2Connect(`https://${flag('target')}`, { createConnection: () => socket });
  const { perSecond, failures } = await workers(streams, forMs, async () => {
    const stream = session.request({ ':path': '/v1/things' });
    stream.resume();
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    if (headers[':status'] !== 200) throw new Error(`answered ${headers[':status']}`);
    await once(stream, 'end');
  });
  return { perSecond, failures };
}

if (command === 'upstream') await serve();
else {
  print(await load());
  // Whatever is still open keeps nobody waiting.
  process.exit();
}
