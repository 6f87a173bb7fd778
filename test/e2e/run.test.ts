import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Acme,
  connectAcme,
  connectPixel,
  createAcme,
  entry,
  gone,
  overridesNote,
  register,
  until,
} from '../support/fixture.ts';
import { start } from '../support/product.ts';
import { hosts } from '../support/service/index.ts';

let fixture: Acme;
let token = '';

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
  token = fixture.service.authorization.issued[0]?.accessToken ?? '';
});
afterAll(() => fixture.close());

const run = (...command: readonly string[]) => fixture.authsome(['run', '--', ...command]);
const arrived = (host: string) => fixture.service.api.received.filter((request) => request.host === host);
const bearer = () => `Bearer ${token}`;

describe('the child of a run', () => {
  it('has phantoms, and a proxy and certificates in every variable that tools read', async () => {
    const { stdout } = await run('env');
    const held = new Map(
      stdout
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(held.get('ACME_TOKEN')).toMatch(/\S{8,}/);
    expect(held.get('ACME_TOKEN')).not.toBe(token);
    expect(held.get('PIXEL_API_KEY')).toMatch(/^px_[a-z0-9]{32}$/);
    expect(held.get('PIXEL_API_KEY')).not.toBe(fixture.apiKey);
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']) {
      expect(held.get(name)).toMatch(/^http:\/\/run:[^@]+@127\.0\.0\.1:\d+$/);
    }
    expect(held.get('NO_PROXY')).toContain('127.0.0.1');
    for (const name of [
      'SSL_CERT_FILE',
      'REQUESTS_CA_BUNDLE',
      'CURL_CA_BUNDLE',
      'GIT_SSL_CAINFO',
      'NODE_EXTRA_CA_CERTS',
    ]) {
      expect(held.get(name)).toContain(join(fixture.home, 'runs'));
    }
    for (const secret of [token, fixture.apiKey, fixture.client.clientSecret])
      expect(stdout).not.toContain(secret);
  });

  it('merges NO_PROXY and keeps a bundle that was already set', async () => {
    const bundle = join(fixture.directory, 'corporate.pem');
    writeFileSync(bundle, fixture.service.caPem);
    const env = { NO_PROXY: 'intranet.example', SSL_CERT_FILE: bundle };
    const outcome = await fixture.authsome(['run', '--', 'sh', '-c', 'echo $NO_PROXY; cat $SSL_CERT_FILE'], {
      env,
    });
    expect(outcome.stdout).toMatch(/^intranet\.example,.*127\.0\.0\.1/);
    expect(outcome.stdout).toContain(fixture.service.caPem.trim());
  });

  it.each([
    ['its exit code', ['sh', '-c', 'exit 42'], 42],
    ['a signal that ended it', ['sh', '-c', 'kill -TERM $$'], 143],
    ['a command that does not exist', ['no-such-command-here'], 127],
    ['a file that is not executable', ['/etc/passwd'], 126],
  ] as const)('gives %s', async (_what, command, code) => {
    expect((await run(...command)).code).toBe(code);
  });

  it('has its arguments as they were given, dashes and all', async () => {
    const outcome = await fixture.authsome([
      'run',
      '--quiet',
      '--',
      'printf',
      '%s|',
      '--json',
      '--',
      '-x',
      'a b',
      '',
    ]);
    expect(outcome).toMatchObject({ code: 0, stdout: '--json|--|-x|a b||', stderr: '' });
  });

  it('reads stdin and writes both streams untouched', async () => {
    const bytes = Buffer.from([0, 255, 10, 13, 128, 7]);
    const outcome = await fixture.authsome(
      ['run', '--quiet', '--', 'sh', '-c', 'od -An -tx1; echo to-stderr >&2'],
      {
        stdin: bytes,
      },
    );
    expect(outcome).toMatchObject({ code: 0, stdout: ' 00 ff 0a 0d 80 07\n', stderr: 'to-stderr\n' });
  });

  it('has the files and pipes that a shell opens besides the standard streams, and nothing of its own', async () => {
    const inBash = async (told: string) => {
      const script = `exec 3< <(echo from a pipe) 5> other.txt
        ${told} sh -c 'cat /dev/fd/3; echo kept >&5; ls -l /proc/self/fd' && cat other.txt`;
      const args = ['-c', script];
      const { code, stdout, stderr } = await start({
        ...{ program: 'bash', args, env: fixture.env, cwd: fixture.directory },
      }).ended;
      const numbers = [...stdout.matchAll(/ (\d+) -> /g)].map(([, number]) => number);
      return { code, stderr, numbers, lines: stdout.split('\n').filter((line) => !line.includes(' -> ')) };
    };
    const alone = await inBash('');
    expect(alone.lines).toEqual(['from a pipe', 'total 0', 'kept', '']);
    expect(await inBash(`"${process.execPath}" "${entry}" run --quiet --`)).toEqual(alone);
  });

  it('gets SIGTERM and SIGINT as if authsome were not there', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const running = fixture.startAuthsome([
        'run',
        '--',
        'sh',
        '-c',
        `trap 'echo got-it; exit 5' TERM INT; echo up; while :; do sleep 0.05; done`,
      ]);
      await running.seen('stdout', /up/);
      running.child.kill(signal);
      expect(await running.ended).toMatchObject({ code: 5, stdout: 'up\ngot-it\n' });
    }
  });

  it('has the terminal, and Ctrl-C reaches it once', async () => {
    const running = fixture.startOnTerminal([
      'run',
      '--',
      'sh',
      '-c',
      `trap 'echo interrupted; n=1' INT; test -t 0 && test -t 1 && echo tty; until test $n; do sleep 0.05; done; sleep 0.2; exit 3`,
    ]);
    await running.seen('stdout', /tty/);
    running.type('\x03');
    const outcome = await running.ended;
    expect(outcome.stdout.match(/interrupted/g)).toHaveLength(1);
    expect(outcome.code).toBe(3);
  });

  it('leaves nothing of the run behind', async () => {
    const outcome = await run('sh', '-c', 'echo $SSL_CERT_FILE; echo $HTTPS_PROXY');
    const [file = '', proxy = ''] = outcome.stdout.split('\n');
    await until(() => spawnSync('test', ['-e', file]).status === 1, 5_000);
    const late = spawnSync(
      'curl',
      ['-sS', '-o', '/dev/null', '-w', '%{http_connect}', '-x', proxy, `https://${hosts.api}/v1/me`],
      { encoding: 'utf8' },
    );
    expect(late.stdout).not.toBe('200');
  });

  it('ends its run even when the command line was killed', async () => {
    const running = fixture.startAuthsome(['run', '--', 'sh', '-c', 'echo $$ $SSL_CERT_FILE; exec sleep 60']);
    const [, pid = '', file = ''] = await running.seen('stdout', /^(\d+) (.*)\n/);
    running.child.kill('SIGKILL');
    await until(() => spawnSync('test', ['-e', file]).status === 1, 5_000);
    process.kill(Number(pid), 'SIGKILL');
    await gone(Number(pid), 5_000);
  });
});

describe('requests of a run', () => {
  it('carry the credential from curl', async () => {
    const outcome = await run(
      'curl',
      '-sS',
      `https://${hosts.api}/v1/me`,
      '-H',
      'Authorization: Bearer whatever',
    );
    expect(outcome).toMatchObject({ code: 0, stderr: expect.stringMatching(overridesNote) });
    expect(JSON.parse(outcome.stdout)).toMatchObject({ hello: 'ada' });
    expect(arrived(hosts.api).at(-1)?.headers.authorization).toBe(bearer());
    expect(arrived(hosts.api).at(-1)?.headers).not.toHaveProperty('proxy-authorization');
  });

  // What a program looks at first is what makes Node load its `fetch`.
  it.each(['', 'globalThis.Headers;', 'globalThis.FormData;', 'globalThis.WebSocket;'])(
    'carry it from Node’s fetch %s',
    async (first) => {
      const script = `${first} console.log((await fetch('https://${hosts.api}/v1/fetch')).status);`;
      expect(await run(process.execPath, '--input-type=module', '-e', script)).toMatchObject({
        code: 0,
        stdout: '200\n',
      });
      expect(arrived(hosts.api).at(-1)).toMatchObject({
        path: '/v1/fetch',
        headers: { authorization: bearer() },
      });
    },
  );

  it.each([
    ['https.get', `https.get(url, finish)`],
    [
      'https.request with an agent of its own',
      `https.request(url, { agent: new https.Agent() }, finish).end()`,
    ],
    ['https.request without an agent', `https.request(url, { agent: false }, finish).end()`],
  ])('carry it from Node’s %s, loaded either way', async (_what, call) => {
    const url = `https://${hosts.api}/v1/agent`;
    const rest = `const url = '${url}'; const finish = (r) => console.log(r.statusCode, r.resume().socket.authorized); ${call};`;
    for (const script of [
      ['--input-type=commonjs', '-e', `const https = require('https'); ${rest}`],
      ['--input-type=module', '-e', `import https from 'node:https'; ${rest}`],
    ]) {
      const before = arrived(hosts.api).length;
      expect(await run(process.execPath, ...script)).toMatchObject({
        stdout: '200 true\n',
        stderr: expect.stringMatching(overridesNote),
      });
      expect(arrived(hosts.api)).toHaveLength(before + 1);
      expect(arrived(hosts.api).at(-1)).toMatchObject({
        path: '/v1/agent',
        headers: { authorization: bearer() },
      });
    }
  });

  it('from Node are verified, keep their connection, and stay off the proxy where NO_PROXY says so', async () => {
    const script = `
      const https = require('node:https');
      const { createServer, request } = require('node:http');
      const get = (host, options) => new Promise((resolve) => https.get({ host, ...options }, (response) => {
        const port = response.socket.localPort;
        response.resume().on('end', () => setImmediate(resolve, port));
      }).on('error', (error) => resolve(error.code)));
      (async () => {
        const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
        const ports = [await get('${hosts.api}', { agent }), await get('${hosts.api}', { agent })];
        console.log(ports[0] === ports[1], await get('${hosts.api}', { ca: [] }), await get('no-such-host.invalid'));
        const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1', () => {
          request({ host: '127.0.0.1', port: server.address().port, agent: false }, (response) => {
            response.pipe(process.stdout);
            server.close();
          }).end();
        });
        agent.destroy();
      })();`;
    const outcome = await run(process.execPath, '-e', script);
    expect(outcome.stdout).toMatch(/^true (UNABLE_TO_\w+|SELF_SIGNED\w+) ERR_PROXY_TUNNEL\nhere$/);
  });

  it('carry it from Python’s urllib', async () => {
    const script = `import urllib.request; print(urllib.request.urlopen('https://${hosts.api}/v1/urllib').status)`;
    expect(await run('python3', '-c', script)).toMatchObject({ code: 0, stdout: '200\n' });
    expect(arrived(hosts.api).at(-1)).toMatchObject({
      path: '/v1/urllib',
      headers: { authorization: bearer() },
    });
  });

  it('carry it from git', async () => {
    await run('git', '-c', 'credential.helper=', 'ls-remote', `https://${hosts.api}/repo.git`);
    expect(arrived(hosts.api).at(-1)).toMatchObject({
      path: '/repo.git/info/refs',
      headers: { authorization: bearer() },
    });
  });

  it('carry a key in a header of the provider’s choice', async () => {
    await run('sh', '-c', `curl -sS -H "X-API-Key: $PIXEL_API_KEY" https://${hosts.keyApi}/v1/images`);
    expect(arrived(hosts.keyApi).at(-1)?.headers['x-api-key']).toBe(fixture.apiKey);
  });

  it('carry bodies of any size both ways, untouched', async () => {
    const file = join(fixture.directory, 'upload.bin');
    writeFileSync(file, Buffer.alloc(5_000_000, 'x'));
    const up = await run('curl', '-sS', '-T', file, `https://${hosts.api}/v1/upload`);
    expect(JSON.parse(up.stdout)).toMatchObject({ bodyBytes: 5_000_000 });
    const chunked = await run('sh', '-c', `cat ${file} | curl -sS -T - https://${hosts.api}/v1/upload`);
    expect(JSON.parse(chunked.stdout)).toMatchObject({ bodyBytes: 5_000_000 });
    const down = await run('sh', '-c', `curl -sS 'https://${hosts.api}/v1/large?bytes=8000000' | wc -c`);
    expect(down.stdout.trim()).toBe('8000000');
    const events = await run('curl', '-sSN', `https://${hosts.api}/v1/events`);
    expect(events.stdout).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
  });

  it('are passed through unread where no route leads: a phantom elsewhere stays a phantom', async () => {
    const outcome = await run(
      'sh',
      '-c',
      `curl -sS --cacert ${fixture.env.AUTHSOME_EXTRA_CA_CERTS} -H "Authorization: Bearer $ACME_TOKEN" https://${hosts.stranger}/public && echo $ACME_TOKEN`,
    );
    const phantom = outcome.stdout.trim().split('\n').at(-1);
    expect(arrived(hosts.stranger).at(-1)?.headers.authorization).toBe(`Bearer ${phantom}`);
    expect(phantom).not.toBe(token);
  });

  it('to a host that merely looks alike carry no credential', async () => {
    await run(
      'curl',
      '-sS',
      '--cacert',
      fixture.env.AUTHSOME_EXTRA_CA_CERTS ?? '',
      `https://${hosts.lookalike}/public`,
    );
    expect(arrived(hosts.lookalike).at(-1)?.headers.authorization).toBeUndefined();
  });

  it('take only the connections that were asked for', async () => {
    const outcome = await fixture.authsome(['run', '--provider', 'pixel', '--', 'env']);
    expect(outcome.stdout).toContain('PIXEL_API_KEY=px_');
    expect(outcome.stdout).not.toContain('ACME_TOKEN=');
  });
});

describe('a provider that wants its key elsewhere', () => {
  it('gets it as HTTP Basic, or as a query parameter', async () => {
    const key = (name: string, apiKeyDefinition: object, more: object = {}) =>
      register(fixture, {
        schema_version: 1,
        name,
        display_name: name,
        auth_type: 'api_key',
        flow: 'api_key',
        api_key: { env_var: `${name.toUpperCase()}_KEY`, ...apiKeyDefinition },
        ...more,
      });
    expect((await key('query', { query_param: 'key' }, { api_url: 'https://query.acme.test' })).code).toBe(0);
    const basic = {
      inject: [
        {
          hosts: ['basic.acme.test'],
          placements: [{ kind: 'basic', username: 'x-access-token', secret_as: 'password' }],
        },
      ],
    };
    const header = { header_name: 'Authorization', header_prefix: 'Bearer' };
    expect(await key('basic', header, basic)).toMatchObject({ code: 0 });
    for (const name of ['query', 'basic']) {
      const env = { [`${name.toUpperCase()}_KEY`]: fixture.apiKey };
      const login = await fixture.authsome(['login', name, '--yes'], { env });
      expect([name, login.code, login.stderr]).toEqual([name, 0, expect.any(String)]);
    }
    await run('curl', '-sS', 'https://query.acme.test/v1/q?a=1&key=phantom&b=2%20');
    const byQuery = arrived('query.acme.test').at(-1);
    expect(byQuery?.query.getAll('key')).toEqual([fixture.apiKey]);
    expect(byQuery?.query.get('a')).toBe('1');
    await run('curl', '-sS', '-u', 'me:phantom', 'https://basic.acme.test/v1/b');
    const expected = Buffer.from(`x-access-token:${fixture.apiKey}`).toString('base64');
    expect(arrived('basic.acme.test').at(-1)?.headers.authorization).toBe(`Basic ${expected}`);
    expect(readFileSync(join(fixture.directory, 'query.json'), 'utf8')).not.toContain(fixture.apiKey);
  });
});

describe('rules that are written during a run', () => {
  it('apply to its next request, and are recorded; so are rules that cannot be read, which deny', async () => {
    const config = join(fixture.home, 'config.json');
    const ask = `curl -s -o answer -w '%{http_code}\n' https://${hosts.api}/user; cat answer`;
    const running = fixture.startAuthsome(
      ['run', '--', 'sh', '-c', `while read line; do ${ask}; echo DONE $line; done`],
      { stdin: 'open' },
    );
    const changes = async (): Promise<readonly string[]> => {
      const { events } = await fixture.json(['log', '-n', '1000']);
      return events
        .filter(({ event }: { event: string }) => event === 'rules.changed')
        .map(({ outcome }: { outcome: string }) => outcome);
    };
    const earlier = await changes();
    let asked = 0;
    let letGo = 0;
    const before = arrived(hosts.api).length;
    const answer = async (): Promise<string> => {
      const start = running.output.stdout.length;
      asked += 1;
      running.type(`${asked}\n`);
      await running.seen('stdout', new RegExp(`DONE ${asked}\n`));
      const text = running.output.stdout.slice(start);
      // Not refused: answered, or cut since the rules changed while it was under way.
      if (!text.startsWith('403\n')) letGo += 1;
      return text;
    };
    const answered = (pattern: RegExp) => until(async () => pattern.test(await answer()), 20_000);

    expect(await answer()).toMatch(/^200\n/);
    const rule = { id: 'not-now', effect: 'deny', providers: ['acme'] };
    writeFileSync(config, JSON.stringify({ rules: [rule] }), { mode: 0o600 });
    await answered(/^403\n.*"PolicyDenied".*/);
    writeFileSync(config, '{"rules": [');
    await answered(/^403\n.*cannot be read, so everything is denied/);
    rmSync(config);
    await answered(/^200\n/);
    expect(arrived(hosts.api).length).toBe(before + letGo);
    expect(await changes()).toEqual([...earlier, 'ok', 'Usage', 'ok']);
    running.child.stdin?.end();
    expect((await running.ended).code).toBe(0);
  });
});
