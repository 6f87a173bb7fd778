import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadIdentity, signRequest } from '../../src/identity/index.ts';
import {
  type Acme,
  connectPixel,
  createAcme,
  entry,
  lastDocument,
  register,
  until,
} from '../support/fixture.ts';
import { hosts, pixel } from '../support/service/index.ts';

/**
 * The attack: an agent that was talked into it runs `authsome` itself, inside of its run. It could show and export every
 * secret, replace a definition or a key, remove and revoke connections, make another account the default, and stop the
 * daemon. Unsetting a variable, or a process that detaches itself, made no difference, since nobody looked. Nor did it
 * matter who signed a call: the identity's key can be read.
 */
let fixture: Acme;
let command = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
  await connectPixel(fixture, '--connection', 'work');
  command = `"${process.execPath}" "${entry}"`;
});
afterAll(() => fixture.close());

const isLinux = process.platform === 'linux';
const inRun = (script: string, ...options: readonly string[]) =>
  fixture.authsome(['run', ...options, '--', 'sh', '-c', script]);
const key = async (connection = 'default') =>
  (
    await fixture.authsome([
      ...['get', 'pixel', '--connection', connection],
      ...['--field', 'api_key', '--show-secret'],
    ])
  ).stdout.trim();
const definitionFile = (): string => {
  const file = join(fixture.directory, 'pixel.json');
  writeFileSync(file, JSON.stringify({ ...pixel, api_url: [pixel.api_url, `https://${hosts.login}`] }));
  return file;
};
const daemonPid = () => fixture.daemonPid();

describe('an agent in a run', () => {
  it.each([
    ['shows a secret', 'get pixel --show-secret'],
    ['shows one field', 'get pixel --field api_key --show-secret'],
    ['shows it as a document', 'get pixel --show-secret --json'],
    ['exports', 'export pixel'],
    ['exports another connection', 'export pixel --connection work'],
    ['replaces a key', 'login pixel --force'],
    ['signs out', 'logout pixel --connection work'],
    ['revokes', 'revoke pixel'],
    ['removes a definition', 'remove pixel'],
    ['makes another account the default', 'connections set-default pixel work'],
    ['stops the daemon', 'daemon stop'],
    ['stops it later', 'daemon stop --when-idle'],
    ['restarts the daemon', 'daemon restart'],
    ['takes the passphrase off', 'vault passphrase remove'],
    ['puts keys back into files', 'scan --undo'],
  ])('is refused when it %s, and is told to ask its person', async (_what, line) => {
    const pid = daemonPid();
    const typed = line.replace(/ --json$/, '');
    const { code, stdout, stderr } = await inRun(`echo new-key-${'x'.repeat(20)} | ${command} ${line}`);
    expect(code).toBe(12);
    expect(stdout + stderr).toContain('not from inside a run: ');
    expect(stdout + stderr).toContain(`in a terminal of their own: authsome ${typed}`);
    expect(stdout + stderr).not.toContain(fixture.apiKey);
    expect([daemonPid(), await key(), await key('work')]).toEqual([pid, fixture.apiKey, fixture.apiKey]);
  });

  it('is refused when it puts phantoms into files, and the files stay as they are', async () => {
    const file = join(fixture.directory, '.env');
    const text = `PIXEL_API_KEY=${fixture.apiKey}\n`;
    writeFileSync(file, text);
    const { code, stdout, stderr } = await inRun(`${command} scan --rewrite "${file}"`);
    expect(code).toBe(12);
    expect(stderr).toContain('not from inside a run: putting phantoms into files');
    expect(stdout + stderr).not.toContain(fixture.apiKey);
    expect(readFileSync(file, 'utf8')).toBe(text);
    rmSync(file);
  });

  it('is refused when it replaces a definition', async () => {
    const before = await fixture.json(['inspect', 'pixel']);
    const { code, stderr } = await inRun(`${command} register --force --yes "${definitionFile()}"`);
    expect(code).toBe(12);
    expect(stderr).toContain('not from inside a run: replacing the definition of a provider');
    expect(await fixture.json(['inspect', 'pixel'])).toEqual(before);
  });

  it('is refused when it approves a host that a definition has gained', async () => {
    expect((await fixture.authsome(['register', '--force', '--yes', definitionFile()])).code).toBe(0);
    const { code, stderr } = await inRun(`${command} connections approve-hosts pixel --yes`);
    expect(code).toBe(12);
    expect(stderr).toContain('not from inside a run: approving hosts for pixel/default');
    expect((await fixture.json(['get', 'pixel'])).unapproved_hosts).toEqual([hosts.login]);
  });

  it('can still look around, and sign in to what has no connection yet', async () => {
    const { name: _, ...rest } = pixel;
    await register(fixture, {
      ...{ ...rest, name: 'second', api_url: `https://${hosts.login}` },
      ...{ api_key: { ...pixel.api_key, env_var: 'SECOND_KEY' }, export: {} },
    });
    const lines = [
      'list',
      'whoami',
      'log -n 1',
      'get pixel',
      'inspect pixel',
      'daemon status',
      'daemon start',
    ];
    const { code, stderr } = await inRun(lines.map((line) => `${command} ${line} >/dev/null`).join(' && '));
    expect([code, stderr.includes('not from inside a run')]).toEqual([0, false]);
    const login = await inRun(`echo ${fixture.apiKey} | ${command} login second --force`);
    expect(login.code).toBe(0);
    expect((await fixture.authsome(['logout', 'second'])).code).toBe(0);
  });

  it.runIf(isLinux).each([
    ['unsets the variable', (line: string) => `env -u AUTHSOME_RUN ${line}`],
    [
      'clears its environment',
      (line: string) => `env -i HOME="$HOME" AUTHSOME_HOME="$AUTHSOME_HOME" ${line}`,
    ],
    ['names another run', (line: string) => `AUTHSOME_RUN=run_another ${line}`],
    ['detaches itself', (line: string) => `(setsid sh -c '${line}' &); sleep 2`],
    [
      'detaches itself and unsets it',
      (line: string) => `(env -u AUTHSOME_RUN setsid sh -c '${line}' &); sleep 2`,
    ],
  ])('is refused when it %s', async (_what, hidden) => {
    const result = join(fixture.directory, 'result');
    rmSync(result, { force: true });
    await inRun(hidden(`${command} export pixel --json >"${result}" 2>&1`).replace(/ >"/, ' >"'));
    await until(() => read(result).includes('\n'), 10_000);
    expect(read(result)).toContain('"error":"DeniedInRun"');
    expect(read(result)).not.toContain(fixture.apiKey);
  });

  it.runIf(isLinux)('is refused when it signs the call itself', async () => {
    const identity = loadIdentity({ directory: join(fixture.home, 'identities'), randomBytes });
    const target = '/v1/connections/pixel/export';
    const { origin, host } = new URL(fixture.baseUrl);
    // A first call is refused, and says which start of the daemon to sign for.
    const first = { method: 'GET', origin, target: '/v1/whoami', body: new Uint8Array() };
    const unbound = signRequest(identity, first, { nowMs: Date.now(), nonce: 'n'.repeat(22) });
    const response = await fetch(`${fixture.baseUrl}/v1/whoami`, { headers: unbound });
    const instance = response.headers.get('authsome-instance') ?? undefined;
    const headers = () =>
      signRequest(
        identity,
        { method: 'POST', origin, target, body: new Uint8Array(), instance },
        { nowMs: Date.now(), nonce: randomBytes(16).toString('base64url') },
      );
    const send = join(fixture.directory, 'send.cjs');
    writeFileSync(send, sender);
    const head = join(fixture.directory, 'head');
    const post = () => {
      const lines = Object.entries({ host, 'content-length': '0', connection: 'close', ...headers() });
      const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      writeFileSync(head, `POST ${target} HTTP/1.1\r\n${fields}\r\n`);
      return `"${process.execPath}" "${send}" ${fixture.port} "${head}"`;
    };
    const refused = await inRun(`env -u AUTHSOME_RUN ${post()}`);
    expect(refused.stdout).toContain('"error":"DeniedInRun"');
    expect(refused.stdout).toContain('authsome export pixel');
    expect(refused.stdout).not.toContain(fixture.apiKey);
    // One that is gone when the daemon looks gets nothing either.
    const left = await inRun(`env -u AUTHSOME_RUN ${post().replace('send.cjs"', 'send.cjs" --leave')}`);
    expect(left.code).toBe(0);
    const { events } = await fixture.json(['log']);
    expect(events.filter(({ event }: { event: string }) => event === 'secret.exported')).toEqual([]);
  });

  it.runIf(isLinux)('is on record with its run and its program', async () => {
    const { code } = await inRun(
      `echo "$AUTHSOME_RUN" >"${fixture.directory}/id"; ${command} export pixel; exit 7`,
    );
    expect(code).toBe(7);
    const id = read(join(fixture.directory, 'id')).trim();
    const [refused] = (await refusals()).filter(({ run }) => run === id);
    expect(refused).toMatchObject({
      ...{ provider: 'pixel', outcome: 'DeniedInRun', run: id, detail: 'exporting the secrets of pixel' },
      ...{ pid: expect.any(Number), program: expect.stringMatching(/sh/) },
    });
  });
});

describe('the end of a run', () => {
  it('tells what was refused in it, and what a trusted one did, only if there was something', async () => {
    const twice = await inRun(`${command} export pixel; ${command} export pixel; ${command} revoke pixel`);
    expect(twice.stderr.trimEnd().split('\n').at(-1)).toBe(
      'authsome: during this run: refused: exporting the secrets of pixel (2 times); refused: revoking pixel. See: authsome log',
    );
    const nested = await inRun(`${command} run --trusted -- ${command} export pixel >/dev/null`, '--trusted');
    expect(nested.stderr.match(/during this run: pixel\/default exported\. See/g)).toHaveLength(2);
    expect((await inRun('true')).stderr).not.toContain('during this run');
    expect((await inRun(`${command} export pixel 2>/dev/null`, '--quiet')).stderr).toBe('');
  });

  it.runIf(isLinux)('is that of the run that did it, whichever other one the caller names', async () => {
    const other = fixture.startAuthsome(['run', '--', 'sh', '-c', 'echo "$AUTHSOME_RUN"; read -r line'], {
      stdin: 'open',
    });
    const [id = ''] = await other.seen('stdout', /run_\w+/);
    const { stderr } = await inRun(`AUTHSOME_RUN=${id} ${command} export pixel`);
    other.type('\n');
    expect(stderr).toContain('during this run: refused: exporting the secrets of pixel. See');
    expect((await other.ended).stderr).not.toContain('during this run');
    const [refused] = await refusals();
    expect(refused.run).not.toBe(id);
  });

  it('tells of rules that changed while it ran', async () => {
    const config = join(fixture.home, 'config.json');
    const rule = JSON.stringify({ rules: [{ id: 'no-deletes', effect: 'deny', methods: ['DELETE'] }] });
    const { stderr } = await inRun(
      `echo '${rule}' >"${config}"; until ${command} log -n 1 | grep -q rules.changed; do sleep 0.1; done`,
    );
    expect(stderr).toContain('authsome: during this run: rules changed. See: authsome log');
    rmSync(config);
  });
});

describe('a trusted run', () => {
  it('may do what others may not, says so, and is on record', async () => {
    const { code, stdout, stderr } = await inRun(`${command} export pixel`, '--trusted');
    expect([code, stdout]).toEqual([0, `PIXEL_API_KEY=${fixture.apiKey}\n`]);
    expect(stderr).toContain('this run is trusted');
    const { events } = await fixture.json(['log', '-n', '10']);
    const details = events.map(({ detail }: { detail?: string }) => detail ?? '');
    expect(details.filter((detail: string) => detail.startsWith('sh (trusted): '))).toHaveLength(1);
  });

  it('cannot be had from inside of one that is not', async () => {
    const nested = `${command} run --trusted -- ${command} export pixel --json`;
    const { code, stdout, stderr } = await inRun(nested);
    expect([code, stdout]).toEqual([12, '']);
    expect(stderr).toContain('not from inside a run: starting a trusted run');
    // An untrusted run within a trusted one is not trusted.
    const inner = await inRun(`${command} run -- ${command} export pixel --json`, '--trusted');
    expect(inner.code).toBe(12);
    expect(lastDocument(inner)).toMatchObject({ error: 'DeniedInRun' });
  });
});

// biome-ignore lint/suspicious/noExplicitAny: events are asserted on, key by key
async function refusals(): Promise<readonly any[]> {
  const { events } = await fixture.json(['log', '-n', '50']);
  return events.filter(({ event }: { event: string }) => event === 'call.refused');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Sends a request as it stands in a file, and prints the answer; with `--leave`, is gone before there is one. */
const sender = `
const { connect } = require('node:net');
const { readFileSync } = require('node:fs');
const args = process.argv.slice(2).filter((arg) => arg !== '--leave');
const leaves = process.argv.includes('--leave');
const socket = connect(Number(args[0]), '127.0.0.1', () => {
  socket.write(readFileSync(args[1]), () => leaves && process.exit(0));
});
socket.on('data', (data) => process.stdout.write(data));
`;
