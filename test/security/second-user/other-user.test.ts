import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Acme, askAcme, connectAcme, createAcme, until } from '../../support/fixture.ts';
import { startAs, stranger } from '../../support/other-user.ts';
import type { Outcome } from '../../support/product.ts';
import { hosts } from '../../support/service/index.ts';

/**
 * The attacks: another user of the machine reads the address of a sign-in's page, or the provider's address with its
 * `state`, or a run's proxy URL, from the arguments of a process, and uses them. Pages took that user's OAuth client, key
 * or code, and the proxy put the owner's credential on that user's request. Malformed bytes became events of the run.
 */
let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await connectAcme(fixture);
});
afterAll(() => fixture.close());

function curlAs(uid: number, ...args: readonly string[]): Promise<Outcome> {
  const env = { PATH: process.env.PATH ?? '' };
  return startAs(uid, 'curl', ['-sS', '-w', '\n%{http_code}', ...args], { env, cwd: '/' }).ended;
}

/** The proxy URL and the CA of a run that lives as long as `work` does. */
async function inRun(work: (run: { proxy: string; ca: string }) => Promise<void>): Promise<void> {
  const script = 'cat "$SSL_CERT_FILE"; echo "proxy=$HTTPS_PROXY"; read -r line';
  const run = fixture.startAuthsome(['run', '--', 'sh', '-c', script], { stdin: 'open' });
  const [, ca = '', proxy = ''] = await run.seen('stdout', /^([\s\S]*)proxy=(.*)\n/);
  await work({ proxy, ca });
  run.type('\n');
  expect((await run.ended).code).toBe(0);
}

const toApi = [
  '--resolve',
  `${hosts.api}:443:127.0.0.1`,
  '--insecure',
  `https://${hosts.api}/v1/me`,
] as const;

describe('another user of the machine', () => {
  it('gets no page, no callback and no call', async () => {
    const login = fixture.startAuthsome(['login', 'pixel', '--json', '--no-browser']);
    const [, page = ''] = await login.seen('stdout', /"auth_url":"([^"]+)"/);
    const callback = `${fixture.redirectUri}?code=THEIRS&state=${'s'.repeat(43)}`;
    const form = ['-d', 'api_key=px_THEIRS', page.slice(0, page.lastIndexOf('/'))];
    for (const args of [[page], [callback], form]) {
      const { stdout } = await curlAs(stranger, ...args);
      expect(stdout).toMatch(/another user of this machine[\s\S]*\n403$/);
      expect(stdout).not.toMatch(/csrf_token|<form/);
    }
    const call = await curlAs(stranger, `${fixture.baseUrl}/v1/providers`);
    expect(call.stdout).toMatch(/"error":"PeerNotAllowed"[\s\S]*\n403$/);
    // Its owner gets on with it.
    expect((await curlAs(0, '-L', '-c', '/dev/null', '-b', '', page)).stdout).toMatch(
      /csrf_token[\s\S]*\n200$/,
    );
    login.child.kill('SIGINT');
    expect((await login.ended).stdout).not.toContain('connected');
  });

  it('gets no credential and no tunnel from the proxy, with a password that is right', async () => {
    await inRun(async ({ proxy }) => {
      expect((await curlAs(0, '--proxy', proxy, ...toApi)).stdout).toMatch(/\n200$/);
      const before = fixture.service.api.received.length;
      for (const more of [[], ['--http2'], ['--http1.1']]) {
        const { stdout, stderr } = await curlAs(stranger, '--proxy', proxy, ...more, ...toApi);
        expect(`${stdout}${stderr}`).toMatch(/403|PeerNotAllowed/);
        expect(stdout).not.toMatch(/\n200$/);
      }
      const absolute = await curlAs(stranger, '--proxy', proxy, 'http://plain.example/');
      expect(absolute.stdout).toMatch(/"code":"PeerNotAllowed"[\s\S]*\n403$/);
      const tunnel = await curlAs(stranger, '--proxy', proxy, '--proxytunnel', 'http://other.example/');
      expect(`${tunnel.stdout}${tunnel.stderr}`).toMatch(/403/);
      expect(fixture.service.api.received.length).toBe(before);
    });
  });

  it('writes nothing on the trail with bytes that are no request, or no TLS, and gets no reason', async () => {
    await inRun(async ({ proxy }) => {
      const { port, username, password } = new URL(proxy);
      const basic = Buffer.from(`${username}:${password}`).toString('base64');
      const connect = (target: string): string =>
        `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`;
      const tunnel = connect(`${hosts.api}:443`);
      const events = async (): Promise<readonly { event: string; count: number }[]> =>
        (await fixture.json(['log', '--all', '-n', '1000'])).events;
      const decisions = async (): Promise<number> =>
        (await events()).filter(({ event }) => event === 'decision').length;
      const counted = async (): Promise<number> =>
        (await events()).reduce(
          (sum, { event, count }) => sum + (event === 'strangers.refused' ? count : 0),
          0,
        );
      const [decided, before] = [await decisions(), await counted()];
      const attacks = [
        'SSH-2.0-x\r\n\r\n',
        connect('nowhere'),
        'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n',
        `${tunnel}SSH-2.0-x\r\n\r\n`,
        `${tunnel}GET / HTTP/1.1\r\nno field\r\n\r\n`,
      ];
      for (const bytes of attacks) {
        const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf '%s' "$1" >&3; cat <&3`;
        const { stdout } = await startAs(stranger, 'timeout', ['10', 'bash', '-c', script, '-', bytes], {
          env: { PATH: process.env.PATH ?? '' },
          cwd: '/',
        }).ended;
        expect(stdout).not.toMatch(/MalformedRequest|PlainHttpRefused|ProxyAuthenticationRequired/);
      }
      await until(async () => (await counted()) >= before + attacks.length, 10_000);
      expect(await decisions()).toBe(decided);
    });
  });

  it('is counted on the trail, and not recorded one by one', async () => {
    const attempts = 30;
    const urls = Array.from({ length: attempts }, () => `${fixture.baseUrl}/auth/sessions/ses_x`);
    await curlAs(stranger, ...urls);
    const counted = async (): Promise<readonly number[]> => {
      const { events } = await fixture.json(['log', '--all', '-n', '200']);
      return (events as { event: string; count: number }[])
        .filter(({ event }) => event === 'strangers.refused')
        .map(({ count }) => count);
    };
    await until(async () => (await counted()).reduce((sum, count) => sum + count, 0) > attempts, 10_000);
    expect((await counted()).length).toBeLessThan(attempts);
  });

  it('is let in when the owner named that user', async () => {
    await fixture.authsome(['daemon', 'stop']);
    const env = { AUTHSOME_ALLOW_UID: `1, ${stranger}` };
    expect((await fixture.authsome(['whoami'], { env })).code).toBe(0);
    await inRun(async ({ proxy }) => {
      expect((await curlAs(stranger, '--proxy', proxy, ...toApi)).stdout).toMatch(/\n200$/);
      expect((await curlAs(stranger + 1, '--proxy', proxy, ...toApi)).stdout).not.toMatch(/\n200$/);
    });
    expect(await fixture.authsome(askAcme)).toMatchObject({ code: 0, stdout: '200' });
    await fixture.authsome(['daemon', 'stop']);
    const wrong = { AUTHSOME_ALLOW_UID: 'alice' };
    expect(await fixture.authsome(['whoami'], { env: wrong })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('AUTHSOME_ALLOW_UID contains an invalid user ID: alice'),
    });
  });
});
