import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  compressors,
  type EchoService,
  echoHost,
  frankHost,
  hiddenHost,
  lateHost,
  secondHost,
  startEchoService,
} from '../support/echo-service.ts';
import { type Fixture, openFixture, overridesNote, register } from '../support/fixture.ts';

let echo: EchoService;
let fixture: Fixture;
let directory: string;

const secretOf = (provider: string) => `${provider.slice(0, 2)}_${'s3cr3t'.repeat(5)}zz`;
const phantomOf = (provider: string) => new RegExp(`^${provider.slice(0, 2)}_(?=.*phantom)[a-z0-9]{32}$`);

/** A provider whose key goes to this place as a bearer, connected with a key of its own. */
async function connect(provider: string, place: string, more: object = {}): Promise<void> {
  const registered = await register(fixture, {
    schema_version: 1,
    name: provider,
    display_name: provider,
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: `https://${place}`,
    api_key: {
      header_name: 'Authorization',
      header_prefix: 'Bearer',
      env_var: 'NEW_KEY',
      key_pattern: `^${provider.slice(0, 2)}_[a-z0-9]{32}$`,
    },
    ...more,
  });
  expect([provider, registered.code, registered.stderr]).toEqual([provider, 0, expect.any(String)]);
  const login = await fixture.authsome(['login', provider, '--yes'], {
    env: { NEW_KEY: secretOf(provider) },
  });
  expect([provider, login.code, login.stderr]).toEqual([provider, 0, expect.any(String)]);
}

beforeAll(async () => {
  echo = await startEchoService();
  directory = mkdtempSync(join(tmpdir(), 'authsome-echo-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, echo.caPem);
  fixture = await openFixture({ AUTHSOME_RESOLVE: echo.resolve, AUTHSOME_EXTRA_CA_CERTS: caFile });
  await connect('shown', echoHost, { export: { env: { api_key: 'SHOWN_KEY' } } });
  await connect('hidden', hiddenHost);
  await connect('late', lateHost);
  await connect('second', secondHost);
  await connect('frank', frankHost, { scrub: false });
});
afterAll(async () => {
  await fixture.close();
  echo.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Answer {
  readonly head: string;
  readonly body: string;
  readonly phantom: string;
}

/** What a child's curl gets for this URL, and the phantom in the child's environment. */
async function ask(url: string, ...options: readonly string[]): Promise<Answer> {
  const command = 'echo "$SHOWN_KEY"; exec curl -sSi "$@"';
  const headless = ['-H', 'Accept-Encoding: gzip, br, zstd', '--suppress-connect-headers', ...options, url];
  const outcome = await fixture.authsome(['run', '--', 'sh', '-c', command, 'sh', ...headless]);
  expect([outcome.code, outcome.stderr]).toEqual([0, expect.stringMatching(overridesNote)]);
  const answerAt = outcome.stdout.indexOf('\n') + 1;
  const bodyAt = outcome.stdout.indexOf('\r\n\r\n') + 4;
  return {
    phantom: outcome.stdout.slice(0, answerAt - 1),
    head: outcome.stdout.slice(answerAt, bodyAt),
    body: outcome.stdout.slice(bodyAt),
  };
}

/** Everything that the body echoes, decoded. */
function echoed(body: string): readonly string[] {
  const { authorization, escaped, base64 } = JSON.parse(body) as Record<string, string>;
  return [
    authorization?.replace(/^Bearer /, '') ?? '',
    decodeURIComponent(escaped ?? '').slice(1, -1),
    Buffer.from(base64 ?? '', 'base64').toString(),
  ];
}

describe('a child whose service echoes the credential sees its phantom', () => {
  for (const coding of ['identity', ...compressors.keys()]) {
    for (const framing of ['', '&chunked']) {
      it(`in ${coding}${framing === '' ? '' : ', in chunks'}`, async () => {
        const { head, body, phantom } = await ask(`https://${echoHost}/v1/me?coding=${coding}${framing}`);
        expect(phantom).toMatch(phantomOf('shown'));
        expect(head).toContain(`x-echo: Bearer ${phantom}\r\n`);
        const [plain, escaped, base64] = echoed(body);
        expect([plain, escaped]).toEqual([phantom, phantom]);
        expect(base64).toContain(phantom);
        expect(base64).toMatch(/^user:/);
        expect(head + body).not.toContain(secretOf('shown'));
      });
    }
  }

  it('over HTTP/2', async () => {
    const program = join(directory, 'over-http2.mjs');
    writeFileSync(program, overHttp2);
    for (const coding of ['identity', 'gzip']) {
      const outcome = await fixture.authsome(['run', '--', process.execPath, program, secondHost, coding]);
      expect([outcome.code, outcome.stderr]).toEqual([0, expect.stringMatching(overridesNote)]);
      const { headers, body } = JSON.parse(outcome.stdout);
      const [plain] = echoed(body);
      expect(plain).toMatch(phantomOf('second'));
      expect(headers).toMatchObject({ ':status': 200, 'x-echo': `Bearer ${plain}` });
      expect(outcome.stdout).not.toContain(secretOf('second'));
    }
  });

  it('where no variable shows one', async () => {
    const { head, body } = await ask(`https://${hiddenHost}/v1/me`);
    const [plain] = echoed(body);
    expect(plain).toMatch(phantomOf('hidden'));
    expect(head).toContain(`x-echo: Bearer ${plain}\r\n`);
    expect(head + body).not.toContain(secretOf('hidden'));
  });

  it('also when the run continues with another connection of the provider', async () => {
    const shell = fixture.startAuthsome(['run', '--', 'sh'], { stdin: 'open' });
    const from = (path: string) =>
      shell.type(`curl -sS https://${echoHost}${path}; echo; echo done ${path}\n`);
    from('/v1/default');
    await shell.seen('stdout', /done \/v1\/default/);
    const work = secretOf('shown').replace('zz', 'ww');
    await fixture.authsome(['login', 'shown', '--connection', 'work', '--yes'], { env: { NEW_KEY: work } });
    expect((await fixture.authsome(['connections', 'set-default', 'shown', 'work'])).code).toBe(0);
    from('/v1/jobs');
    await shell.seen('stdout', /done \/v1\/jobs/);
    shell.type('echo "Bearer $SHOWN_KEY"; exit\n');
    const { stdout } = await shell.ended;
    expect((await fixture.authsome(['connections', 'set-default', 'shown', 'default'])).code).toBe(0);
    expect(stdout).toContain('"path":"/v1/jobs"');
    // Each connection has its own phantom.
    const shown = (stdout.match(/Bearer \w+/g) ?? []).map((bearer) => bearer.slice('Bearer '.length));
    expect(new Set(shown).size).toBe(2);
    for (const phantom of shown) expect(phantom).toMatch(phantomOf('shown'));
    for (const secret of [work, secretOf('shown')]) expect(stdout).not.toContain(secret);
  });

  it('where the connection came while it ran', async () => {
    const shell = fixture.startAuthsome(['run', '--', 'sh'], { stdin: 'open' });
    const from = async (path: string) => {
      shell.type(`curl -sS https://${lateHost}${path}; echo; echo done ${path}\n`);
      await shell.seen('stdout', new RegExp(`done ${path}\n`));
    };
    expect((await fixture.authsome(['logout', 'late'])).code).toBe(0);
    await from('/without');
    expect(shell.output.stdout).not.toContain('Bearer');
    const newer = secretOf('late').replace('zz', 'ww');
    await fixture.authsome(['login', 'late', '--yes'], { env: { NEW_KEY: newer } });
    await from('/with');
    shell.type('exit\n');
    const { stdout } = await shell.ended;
    expect(/Bearer (la_\w+)/.exec(stdout)?.[1]).toMatch(phantomOf('late'));
    for (const secret of [newer, secretOf('late')]) expect(stdout).not.toContain(secret);
  });
});

it('an event that does not end like the secret reaches the child at once', async () => {
  // The service sends the second event only when it is asked to, by a child that has seen the first.
  const script = [
    `curl -sSN https://${echoHost}/events | while read -r line; do echo "$line";`,
    `test "$line" = "data: first" && curl -sS -o /dev/null https://${echoHost}/next; done`,
  ].join(' ');
  const { stdout, code } = await fixture.authsome([
    'run',
    '--',
    'sh',
    '-c',
    `echo "data: Bearer $SHOWN_KEY"; ${script}`,
  ]);
  expect(code).toBe(1);
  const [phantom, ...events] = stdout.split('\n').filter((line) => line !== '');
  expect(events).toEqual(['data: first', phantom, 'data: last']);
  expect(stdout).not.toContain(secretOf('shown'));
});

describe('what is not searched passes unmodified', () => {
  it('for a provider that opted out', async () => {
    const { head, body } = await ask(`https://${frankHost}/v1/me`);
    expect(head).toContain(`x-echo: Bearer ${secretOf('frank')}\r\n`);
    expect(echoed(body)[0]).toBe(secretOf('frank'));
  });

  it('in a body that is no text, while its head is', async () => {
    const { head, body, phantom } = await ask(`https://${echoHost}/image?coding=identity`);
    expect(echoed(body)[0]).toBe(secretOf('shown'));
    expect(head).toContain(`x-echo: Bearer ${phantom}\r\n`);
    expect(head).toMatch(/content-length: \d+/i);
  });
});

/** A client that offers HTTP/2 alone, which curl does not. */
const overHttp2 = `
import { connect } from 'node:http2';
import { connect as dial } from 'node:net';
import { connect as secure } from 'node:tls';
const [host, coding] = process.argv.slice(2);
const { hostname, port, username, password } = new URL(process.env.HTTPS_PROXY);
const socket = dial(Number(port), hostname);
const credentials = Buffer.from(username + ':' + password).toString('base64');
socket.write('CONNECT ' + host + ':443 HTTP/1.1\\r\\nHost: ' + host + ':443\\r\\nProxy-Authorization: Basic ' + credentials + '\\r\\n\\r\\n');
await new Promise((resolve) => socket.once('data', resolve));
const tls = secure({ socket, servername: host, ALPNProtocols: ['h2'] });
const session = connect('https://' + host, { createConnection: () => tls });
const stream = session.request({ ':path': '/v1/me?coding=' + coding, 'accept-encoding': 'gzip' });
let headers;
let body = '';
stream.on('response', (received) => { headers = { ...received }; });
for await (const chunk of stream) body += chunk;
console.log(JSON.stringify({ headers, body }));
session.close();
`;
