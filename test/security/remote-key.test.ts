import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import { loadIdentity } from '../../src/identity/index.ts';
import { parseSettings } from '../../src/settings.ts';
import { type Fixture, gone, openFixture } from '../support/fixture.ts';
import { type HostedDaemon, openHostedDaemon, startHosted } from '../support/hosted-daemon.ts';

/**
 * The attack: somebody takes over the name of a hosted daemon (its DNS entry, an expired domain, a certificate that was
 * issued by mistake) and waits for calls. TLS was all that told the daemon apart, so `login` sent its key there.
 */
const key = `sk-proj-${'a1B2'.repeat(12)}`;
let hosted: HostedDaemon;
let other: Fixture;
let pretender: Server;

beforeEach(async () => {
  changes = undefined;
  hosted = await openHostedDaemon();
  other = await openFixture();
  pretender = createServer((asked, response) => {
    if (changes === undefined) response.end('{"v":1}');
    else
      void relay(asked, changes).then((answer) =>
        response.writeHead(answer.status, answer.headers).end(answer.body),
      );
  });
});
afterEach(async () => {
  pretender.closeAllConnections();
  pretender.close();
  await Promise.all([hosted.close(), other.close()]);
});

/** A daemon's response as somebody in between changes it. */
let changes: ((body: string) => string) | undefined;
async function relay(asked: IncomingMessage, change: (body: string) => string) {
  const { method, url, headers } = asked;
  const onward = request({ port: hosted.server.port, host: '127.0.0.1', method, path: url, headers });
  asked.pipe(onward);
  const response = await new Promise<IncomingMessage>((resolve) => onward.once('response', resolve));
  const body = change((await response.toArray()).join(''));
  const { 'content-length': _, ...rest } = response.headers;
  return { status: response.statusCode ?? 0, headers: rest, body };
}

const knownFile = (): string => {
  const directory = join(hosted.client.home, 'known_daemons');
  return join(directory, readdirSync(directory)[0] ?? '');
};
const login = () => hosted.client.authsome(['login', 'openai'], { stdin: key });

describe('the key of a hosted daemon', () => {
  it('is trusted on first use, with one line that shows it, and without one afterwards', async () => {
    const first = await hosted.client.authsome(['list']);
    expect(first).toMatchObject({ code: 0 });
    const shown = /^Trusting the daemon at (\S+) from now on\. Its key: (did:key:z6Mk\w+)$/m.exec(
      first.stderr,
    );
    expect(shown?.[1]).toBe(hosted.url);
    expect(readFileSync(knownFile(), 'utf8')).toBe(`${shown?.[2]}\n`);
    expect(statSync(knownFile()).mode & 0o777).toBe(0o600);
    const second = await hosted.client.authsome(['list']);
    expect(second).toMatchObject({ code: 0 });
    expect(second.stderr).not.toContain('Trusting');
    expect(await login()).toMatchObject({ code: 0 });
    expect((await hosted.client.json(['get', 'openai', '--show-secret'])).api_key).toBe(key);
  });

  it('stays the same over a restart, and a client that goes on signs for the new start', async () => {
    const client = createClient({
      settings: parseSettings(hosted.client.env),
      identity: loadIdentity({ directory: join(hosted.server.home, 'identities'), randomBytes }),
      version: '1.0.0',
      launch: { execPath: '/nonexistent', entry: '', environment: {} },
      onNewDaemon: () => {},
      now: Date.now,
      randomBytes,
    });
    await client.list();
    const pid = hosted.server.daemonPid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await gone(pid, 5_000);
    rmSync(join(hosted.server.home, 'server/daemon.json'));
    await startHosted(hosted.server, hosted.url);
    expect((await client.list()).v).toBe(1);
    const outcome = await hosted.client.authsome(['list', '--json']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a response of a hosted daemon', () => {
  it('is refused when somebody in between has changed it', async () => {
    const unchanged = (body: string): string => body;
    changes = unchanged;
    await new Promise<void>((resolve) => pretender.listen(0, '127.0.0.1', resolve));
    hosted.pointTo((pretender.address() as AddressInfo).port);
    expect(JSON.stringify(await hosted.client.json(['inspect', 'openai']))).toContain('api.openai.com');
    changes = (body) => body.replaceAll('api.openai.com', 'evil.example');
    const refused = await hosted.client.authsome(['inspect', 'openai']);
    expect(refused).toMatchObject({ code: 9, stdout: '' });
    expect(refused.stderr).toContain('sent an unreadable response');
  });
});

describe('another daemon in its place', () => {
  it('is refused with both keys and the command that forgets the old one, and is sent no secret', async () => {
    await hosted.client.json(['list']);
    await startHosted(other, hosted.url);
    hosted.pointTo(other.port);
    hosted.received.length = 0;
    const refused = await login();
    expect(refused).toMatchObject({ code: 9, stdout: '' });
    expect(refused.stderr).toContain(`the daemon at ${hosted.url} has another key than before`);
    const known = readFileSync(knownFile(), 'utf8').trim();
    expect(refused.stderr).toContain(`Its key was:  ${known}`);
    expect(refused.stderr).toMatch(/Its key is: {3}did:key:z6Mk/);
    expect(refused.stderr).toContain(`rm ${knownFile()}`);
    const run = await hosted.client.authsome(['run', '--', 'true']);
    expect(run).toMatchObject({ code: 9 });
    expect(hosted.received.join('')).not.toContain(key);
    expect(hosted.received.join('')).not.toContain('POST ');
    expect(readFileSync(knownFile(), 'utf8').trim()).toBe(known);

    rmSync(knownFile());
    expect((await hosted.client.authsome(['whoami'])).stderr).toContain('Trusting the daemon at');
  });

  it.each(['before', 'after'])('is refused without a key at all, %s the first use', async (when) => {
    if (when === 'after') await hosted.client.json(['list']);
    await new Promise<void>((resolve) => pretender.listen(0, '127.0.0.1', resolve));
    hosted.pointTo((pretender.address() as AddressInfo).port);
    hosted.received.length = 0;
    for (const refused of [await login(), await hosted.client.authsome(['run', '--', 'true'])]) {
      expect(refused).toMatchObject({ code: 9, stdout: '' });
      expect(refused.stderr).toContain('does not prove that it is an authsome daemon');
    }
    expect(hosted.received.join('')).not.toContain('POST ');
    expect(hosted.received.join('')).not.toContain(key);
  });
});
