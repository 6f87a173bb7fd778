import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, connectAcme, connectPixel, createAcme } from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';

let fixture: Acme;

beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
  await connectPixel(fixture);
});
afterAll(() => fixture.close());

const events = async (): Promise<readonly { readonly event: string }[]> =>
  (await fixture.json(['log', '-n', '1000'])).events;
const explained = (url: string, ...more: readonly string[]) =>
  fixture.json(['explain', '--url', url, ...more]);

describe('run --dry-run', () => {
  it('says what the run would have, and starts nothing', async () => {
    const before = await events();
    const ran = join(fixture.directory, 'ran');
    const document = await fixture.json(['run', '--dry-run', '--json', '--', 'touch', ran]);
    expect(document).toMatchObject({
      v: 1,
      command: 'touch',
      trusted: false,
      connections: [
        { provider: 'acme', connection: 'default' },
        { provider: 'pixel', connection: 'default' },
      ],
      egress: 'open',
      sandbox: false,
      outer_run: null,
    });
    expect(document.variables.phantoms).toEqual(['ACME_TOKEN', 'PIXEL_API_KEY']);
    expect(document.variables.set).toEqual(
      expect.arrayContaining(['AUTHSOME_RUN', 'HTTPS_PROXY', 'SSL_CERT_FILE']),
    );
    expect(document.routes).toContainEqual({
      route: `acme:https://${hosts.api}`,
      host: `https://${hosts.api}`,
      connection: 'acme/default',
      placement: 'header authorization',
      approved: true,
    });
    expect(existsSync(ran)).toBe(false);
    expect(await events()).toEqual(before);
    // The one that the daemon keeps ready.
    expect(readdirSync(join(fixture.home, 'runs')).length).toBeLessThanOrEqual(1);
  });

  it('says the same as what a run gets, and no value', async () => {
    const env = { MY_KEY: fixture.apiKey, KEPT: 'as-it-is' };
    const document = await fixture.json(['run', '--dry-run', '--json', '-p', 'acme', '--', 'env'], 0, {
      env,
    });
    const { stdout } = await fixture.authsome(['run', '-p', 'acme', '--', 'env'], { env });
    const names = new Set(stdout.split('\n').map((line) => line.split('=', 1)[0]));
    const { phantoms, set, removed } = document.variables;
    expect([...phantoms, ...set].filter((name: string) => !names.has(name))).toEqual([]);
    expect(removed).toEqual(['MY_KEY']);
    expect(names.has('MY_KEY')).toBe(false);
    expect(JSON.stringify(document)).not.toContain(fixture.apiKey);
  });

  it.each([
    ['a connection that is not there', ['-p', 'acme/none', '--', 'true'], 3],
    ['a provider that is not there', ['-p', 'nobody', '--', 'true'], 4],
    ['a command that does not exist', ['--', 'no-such-command-here'], 127],
    ['a file that is not executable', ['--', '/etc/passwd'], 126],
    ['no command', [], 2],
  ] as const)('fails as the run does for %s', async (_what, args, code) => {
    const [dry, real] = [
      await fixture.authsome(['run', '--dry-run', ...args]),
      await fixture.authsome(['run', ...args]),
    ];
    const error = (text: string) => text.split('\n').find((line) => line.startsWith('Error: '));
    expect([dry.code, error(dry.stderr)]).toEqual([code, error(real.stderr)]);
    expect(dry.stdout).toBe('');
  });

  it('is refused inside a run what the run may not have', async () => {
    const inner = `"${process.execPath}" dist/main.js run --dry-run -p pixel -- true`;
    const outcome = await fixture.authsome(['run', '-p', 'acme', '--', 'sh', '-c', inner], {
      cwd: join(import.meta.dirname, '../..'),
    });
    expect(outcome.code).toBe(12);
    expect(outcome.stderr).toContain('using pixel/default');
  });
});

describe('explain --url', () => {
  it('tells the route, the connection and the placement, and leaves nothing on record', async () => {
    const before = await events();
    const received = fixture.service.api.received.length;
    expect(await explained(`https://${hosts.api}/v1/me?q=1`, '--method', 'POST')).toMatchObject({
      v: 1,
      decision: null,
      at: null,
      outcome: 'injected',
      request: { method: 'POST', host: hosts.api, port: 443, path: '/v1/me' },
      route: `acme:https://${hosts.api}`,
      connection: 'acme/default',
      placement: 'header authorization',
      candidates: [{ matched: true }],
    });
    expect(fixture.service.api.received).toHaveLength(received);
    expect(await events()).toEqual(before);
  });

  it.each([
    ['a host without a route', 'https://unrouted.example/x', 'tunnelled'],
    ['another port', `https://${hosts.api}:8443/`, 'tunnelled'],
    ['plain http to a routed host', `http://${hosts.api}/`, 'PlainHttpRefused'],
    ['plain http elsewhere', 'http://unrouted.example/', 'passed'],
    ['a traversal', `https://${hosts.api}/v1/../admin`, 'TargetMismatch'],
    ['an encoded traversal', `https://${hosts.api}/v1/%2e%2e/admin`, 'TargetMismatch'],
    ['a WebSocket', `wss://${hosts.api}/socket`, 'injected'],
  ] as const)('tells of %s as the proxy would', async (_what, url, outcome) => {
    const document = await explained(url);
    expect(document.outcome).toBe(outcome);
    if (outcome !== 'injected') expect([document.connection, document.placement]).toEqual([null, null]);
  });

  it('decides as the proxy then does', async () => {
    const url = `https://${hosts.api}/v1/%2e%2e/admin`;
    await fixture.authsome(['run', '--', 'curl', '-s', '--path-as-is', url]);
    const made = await fixture.json(['explain', 'last']);
    const { decision: _id, at: _at, hint, ...told } = await explained(url);
    expect(made).toMatchObject(told);
    expect(hint).toContain('without dot segments');
  });

  it('leaves out what the run would not have', async () => {
    const document = await explained(`https://${hosts.api}/`, '--provider', 'pixel');
    expect(document).toMatchObject({ outcome: 'tunnelled', connection: null });
    const outcome = await fixture.authsome(['explain', '--url', `https://${hosts.api}/`, '-p', 'acme/none']);
    expect(outcome.code).toBe(3);
  });

  it('tells which rule denies it, by the rules of now', async () => {
    const rules = [{ id: 'no-deletes', effect: 'deny', methods: ['DELETE'] }];
    const file = join(fixture.home, 'config.json');
    writeFileSync(file, JSON.stringify({ rules }), { mode: 0o600 });
    const url = `https://${hosts.api}/v1/me`;
    await expect.poll(async () => (await explained(url, '--method', 'DELETE')).outcome).toBe('PolicyDenied');
    expect((await explained(url, '--method', 'DELETE')).rule).toBe('no-deletes');
    expect((await explained(url)).outcome).toBe('injected');
    writeFileSync(file, '{"rules":[]}');
    await expect.poll(async () => (await explained(url, '--method', 'DELETE')).outcome).toBe('injected');
  });

  it.each([
    'ftp://x.example/',
    'api.github.com',
    'https://user:pa55word@api.github.com/',
    'https://api.github.com/a b',
    'https://',
    `https://${'a'.repeat(300)}.example/`,
  ])('refuses what no client sends, without repeating it: %s', async (url) => {
    const { code, stderr } = await fixture.authsome(['explain', '--url', url]);
    expect(code).toBe(2);
    expect(stderr).not.toContain('pa55word');
  });

  it('takes either an id or a URL', async () => {
    for (const args of [[], ['last', '--url', 'https://x.example/'], ['last', '--method', 'GET']])
      expect((await fixture.authsome(['explain', ...args])).code).toBe(2);
  });
});
