import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from '../support/fixture.ts';
import { createThrowawayCa } from '../support/service/index.ts';

/** Bundled definitions whose services take a credential in several places, or in the path. */
const gemini = 'generativelanguage.googleapis.com';
const anthropic = 'api.anthropic.com';
const telegram = 'api.telegram.org';
const github = 'api.github.com';
const hosts = [gemini, anthropic, telegram, github];
const keys = {
  gemini: `AIzaSy${'aB3x_'.repeat(6)}aB3`,
  anthropic: `sk-ant-api03-${'a1B2'.repeat(20)}`,
  'telegram-bot': `1234567890:AA${'Zy8w-'.repeat(6)}Zy8`,
  github: `ghp_${'aB3x'.repeat(9)}`,
};

interface Seen {
  readonly version: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

let fixture: Fixture;
let service: Http2SecureServer;
let directory: string;
let seen: Seen[] = [];
const sessions = new Set<ServerHttp2Session>();

async function open(version: string): Promise<void> {
  const ca = await createThrowawayCa('Throwaway CA');
  const { certPem: cert, keyPem: key } = await ca.issue(hosts);
  const alpn = version === '2' ? {} : { allowHTTP1: true, ALPNProtocols: ['http/1.1'] };
  service = createSecureServer({ cert, key, ...alpn }, (request, response) => {
    const { httpVersion: version, url: path, headers } = request;
    seen.push({ version, path, headers: { ...headers } });
    // A service may repeat the path: with the secret in it.
    response.end(`you asked for ${path}`);
  });
  service.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  directory = mkdtempSync(join(tmpdir(), 'authsome-places-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, ca.caPem);
  const { port } = service.address() as AddressInfo;
  fixture = await openFixture({
    AUTHSOME_RESOLVE: hosts.map((host) => `${host}:443:127.0.0.1:${port}`).join(),
    AUTHSOME_EXTRA_CA_CERTS: caFile,
  });
  for (const [provider, stdin] of Object.entries(keys)) {
    const { code, stderr } = await fixture.authsome(['login', provider, '--flow', 'api_key'], { stdin });
    expect([code, stderr]).toEqual([0, expect.anything()]);
  }
}

async function close(): Promise<void> {
  await fixture.close();
  for (const session of sessions) session.destroy();
  service.close();
  rmSync(directory, { recursive: true, force: true });
}

beforeEach(() => {
  seen = [];
});

/** What curl printed, and the one request that arrived. */
async function curl(version: string, args: string): Promise<{ readonly stdout: string; readonly got: Seen }> {
  const { stdout } = await fixture.authsome(['run', '--', 'sh', '-c', `curl -sS --http${version} ${args}`]);
  expect(seen).toHaveLength(1);
  const [got] = seen;
  expect(got?.version).toBe(version === '2' ? '2.0' : version);
  return { stdout, got: got as Seen };
}

describe.each(['1.1', '2'])('over HTTP/%s', (version) => {
  beforeAll(() => open(version));
  afterAll(close);

  it('a Bearer of GEMINI_API_KEY below /v1beta/openai is the only credential that arrives', async () => {
    const { got } = await curl(
      version,
      `-H "Authorization: Bearer $GEMINI_API_KEY" https://${gemini}/v1beta/openai/chat/completions`,
    );
    expect(got.headers).toMatchObject({ authorization: `Bearer ${keys.gemini}` });
    expect(got.headers).not.toHaveProperty('x-goog-api-key');
  });

  it('GEMINI_API_KEY goes into the query where the agent has it there, and else into the header', async () => {
    const { got, stdout } = await curl(version, `"https://${gemini}/v1beta/models?key=$GEMINI_API_KEY&a=1"`);
    expect(got.path).toBe(`/v1beta/models?key=${keys.gemini}&a=1`);
    expect(got.headers).not.toHaveProperty('x-goog-api-key');
    expect(stdout).not.toContain(keys.gemini);
    seen = [];
    const { got: usual } = await curl(version, `https://${gemini}/v1beta/models`);
    expect([usual.path, usual.headers['x-goog-api-key']]).toEqual(['/v1beta/models', keys.gemini]);
  });

  it('a Bearer of ANTHROPIC_API_KEY is the only credential that arrives', async () => {
    const { got } = await curl(
      version,
      `-H "Authorization: Bearer $ANTHROPIC_API_KEY" https://${anthropic}/v1/chat/completions`,
    );
    expect(got.headers).toMatchObject({ authorization: `Bearer ${keys.anthropic}` });
    expect(got.headers).not.toHaveProperty('x-api-key');
  });

  it('a GitHub token arrives as Bearer, token or Basic, as the agent wrote it', async () => {
    const url = `https://${github}/user`;
    const forms: readonly (readonly [string, string])[] = [
      ['', `Bearer ${keys.github}`],
      ['-H "Authorization: token $GITHUB_TOKEN"', `token ${keys.github}`],
      [
        '-u "octocat:$GITHUB_TOKEN"',
        `Basic ${Buffer.from(`x-access-token:${keys.github}`).toString('base64')}`,
      ],
    ];
    for (const [options, authorization] of forms) {
      seen = [];
      expect((await curl(version, `${options} ${url}`)).got.headers).toMatchObject({ authorization });
    }
  });

  it('a Telegram token arrives in the path, and neither the answer nor the log shows it', async () => {
    const { got, stdout } = await curl(version, `https://${telegram}/bot$TELEGRAM_BOT_TOKEN/getMe?a=1`);
    expect(got.path).toBe(`/bot${keys['telegram-bot']}/getMe?a=1`);
    expect(stdout).toMatch(/^you asked for \/bot[0-9]+:[\w-]{35}\/getMe\?a=1$/);
    expect(stdout).not.toContain(keys['telegram-bot']);
    const { events } = await fixture.json(['log', '-n', '5']);
    const request = events.find((event: { request?: { host: string } }) => event.request?.host === telegram);
    expect(request).toMatchObject({
      action: 'injected',
      request: { path: '/bot{secret}/getMe' },
      placement: 'path /bot{secret}/',
    });
    const { stdout: explained } = await fixture.authsome(['explain', request.id]);
    expect(explained).toContain('/bot{secret}/getMe');
    const phantom = stdout.slice('you asked for /bot'.length, stdout.indexOf('/getMe'));
    for (const hidden of [phantom, keys['telegram-bot']])
      expect(explained + JSON.stringify(events)).not.toContain(hidden);
  });

  it('a Telegram request without the phantom passes with nothing added, and its record says why', async () => {
    const { got } = await curl(version, `https://${telegram}/botown/getMe`);
    expect(got.path).toBe('/botown/getMe');
    expect(JSON.stringify(got.headers)).not.toContain(keys['telegram-bot']);
    const { events } = await fixture.json(['log', '-n', '5']);
    const ofTelegram = ({ request }: { request?: { host: string } }) => request?.host === telegram;
    expect(events.findLast(ofTelegram)).toMatchObject({
      action: 'passed',
      reason: expect.stringContaining('nothing was added'),
    });
  });

  it('a phantom elsewhere in the path is refused, and the log has it nowhere', async () => {
    const { stdout } = await fixture.authsome([
      ...['run', '--', 'sh', '-c'],
      `curl -sS https://${telegram}/v1/bot$TELEGRAM_BOT_TOKEN/getMe; echo; echo $TELEGRAM_BOT_TOKEN`,
    ]);
    const phantom = stdout.trimEnd().split('\n').at(-1) as string;
    expect(stdout).toContain('"code":"PhantomMisplaced"');
    expect(seen).toEqual([]);
    const { events } = await fixture.json(['log', '-n', '5']);
    expect(JSON.stringify(events)).toContain('/v1/bot{secret}/getMe');
    expect(JSON.stringify(events)).not.toContain(phantom);
  });
});
