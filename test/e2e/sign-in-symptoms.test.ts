/**
 * The symptoms of the manual's page on OAuth callbacks, one after the other, with the real binary and a real
 * authorization server: each has to be shown in the terminal, with its cause and its fix, so that nobody needs the
 * page.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Acme,
  authorizeUrlOf,
  connectAcme,
  createAcme,
  entry,
  lastDocument,
  openFixture,
  register,
  ticketOf,
  until,
  withFixture,
} from '../support/fixture.ts';
import { ownNetwork, ownProcesses } from '../support/own-network.ts';
import type { Running } from '../support/product.ts';
import { start } from '../support/product.ts';
import { acme } from '../support/service/index.ts';
import { authUrlOf, signInWithClient } from '../support/sign-in.ts';

const settingsUrl = 'https://login.acme.test/settings/apps';
/** Acme with a page for its settings, as a careful definition has it. */
const acmeWithSettings = {
  ...acme,
  name: 'acme-apps',
  display_name: 'Acme Apps',
  setup: { url: settingsUrl },
};

let fixture: Acme;
beforeAll(async () => {
  fixture = await createAcme();
  await register(fixture, acmeWithSettings);
  await connectAcme(fixture);
});
afterAll(() => fixture.close());

/** What a terminal shows, without colors and with plain line ends. */
function screen(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '').replaceAll('\r', '');
}

describe('the redirect URI does not match', () => {
  it('is shown in the terminal and on the page, with the exact URI and where to set it', async () => {
    const elsewhere = 'http://127.0.0.1:1/auth/callback/oauth';
    await withFixture(await createAcme({ registeredRedirectUri: elsewhere }), async (other) => {
      await register(other, acmeWithSettings);
      const running = other.startOnTerminal(['login', 'acme-apps', '--no-browser']);
      await running.seen('stdout', /Client ID: /);
      const page = await ticketOf(running);
      running.type(`${other.client.clientId}\r`);
      await running.seen('stdout', /Client secret/);
      running.type(`${other.client.clientSecret}\r`);
      const refused = await other.newBrowser().open(await authorizeUrlOf(running));
      await running.seen('stdout', /register exactly \S+ at \S+\s/);
      expect(refused.status).toBe(400);
      expect(refused.html).toContain('invalid_redirect_uri');
      expect(screen(running.output.stdout)).toContain(
        `If Acme Apps refuses the redirect URI, register exactly ${other.redirectUri} at ${settingsUrl}`,
      );
      const browser = other.newBrowser();
      await browser.open(page);
      const waiting = await browser.open(page.slice(0, page.lastIndexOf('/')));
      expect(waiting.html).toContain(`<code id="redirect-uri">${other.redirectUri}</code>`);
      expect(waiting.html).toContain(`href="${settingsUrl}"`);
      running.type('\x03');
      const outcome = await running.ended;
      expect(outcome.code).toBe(11);
      expect(screen(outcome.stdout)).toContain(
        `  ${other.redirectUri}\n  at ${settingsUrl}\n  and run: authsome login acme-apps --force\n`,
      );
    });
  });

  it('is shown likewise for a provider that sends its error back', async () => {
    const running = fixture.startAuthsome(['login', 'acme-apps', '--json', '--no-browser']);
    const browser = fixture.newBrowser();
    const form = await browser.open(await authUrlOf(running));
    const answer = { client_id: fixture.client.clientId, client_secret: fixture.client.clientSecret };
    const consent = await browser.submit(form, answer);
    expect(consent.status).toBe(200);
    const state = await stateOf(fixture, running);
    const description = 'The redirect_uri MUST match the registered callback URL for this application.';
    const query = new URLSearchParams({
      error: 'redirect_uri_mismatch',
      error_description: description,
      state,
    });
    const page = await browser.open(`${fixture.redirectUri}?${query}`);
    expect(page.html).toContain(description);
    expect(page.html).toContain(`>${fixture.redirectUri}</code>`);
    expect(page.html).toContain(`href="${settingsUrl}"`);
    expect(page.html).toContain('authsome login acme-apps --force</code>');
    const outcome = await running.ended;
    expect(outcome.code).toBe(10);
    const failure = lastDocument(outcome);
    expect(failure.message).toBe(`acme-apps refused the sign-in: redirect_uri_mismatch: ${description}`);
    expect(failure.hint).toBe(
      `Set the callback URL to exactly\n${fixture.redirectUri}\nat ${settingsUrl}, then run: authsome login acme-apps --force`,
    );
    expect(failure.help).toBe('authsome help oauth-callbacks');
  });

  it('cannot happen where clients are registered by themselves, which inspect shows', async () => {
    const shown = await fixture.authsome(['inspect', 'linear-mcp']);
    expect(shown.stdout).toMatch(/supports_dcr: +true/);
    expect((await fixture.json(['inspect', 'linear-mcp'])).oauth.supports_dcr).toBe(true);
  });
});

/** The state of the sign-in in progress, as only its own browser knows it. */
async function stateOf(of: Acme, running: Running): Promise<string> {
  const [, id = ''] = await running.seen('stdout', /"session_id":"([^"]+)"/);
  const { provider_url: url } = await of.json(['login', '--status', id]);
  return new URL(url).searchParams.get('state') ?? '';
}

describe('address already in use: 127.0.0.1:7998', () => {
  it('says which process uses it and how to stop that, and works once that has been done', async () => {
    await withFixture(await openFixture(), async (other) => {
      const { AUTHSOME_PORT: _, ...env } = other.env;
      const script = `
python3 -m http.server 7998 --bind 127.0.0.1 >/dev/null 2>&1 & stranger=$!
until python3 -c 'import socket; socket.create_connection(("127.0.0.1", 7998))' 2>/dev/null; do sleep 0.05; done
"$0" "$1" list; echo "code $? stranger $stranger" >&2
kill $stranger; wait $stranger 2>/dev/null
"$0" "$1" whoami --json && "$0" "$1" daemon stop --quiet`;
      const [program = '', ...args] = [...ownNetwork(), 'sh', '-c', script, process.execPath, entry];
      const outcome = await start({ program, args, env }).ended;
      const stranger = /stranger (\d+)/.exec(outcome.stderr)?.[1];
      expect(outcome.stderr).toContain('Error: address already in use: 127.0.0.1:7998\n');
      expect(outcome.stderr).toContain(`code 9 stranger ${stranger}`);
      expect(outcome.stderr).toMatch(new RegExp(`It is in use by pid ${stranger} \\(python3[^)]*\\)`));
      expect(outcome.stderr).toContain('lsof -nP -iTCP:7998 -sTCP:LISTEN\n');
      expect(outcome.stderr).toContain(`kill ${stranger}\n`);
      expect(outcome.stderr).toContain('authsome help daemon-issues');
      expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining('http://127.0.0.1:7998')]);
    });
  });

  it('a stale daemon is found by pkill -f authsome, and any command starts another', async () => {
    await withFixture(await openFixture(), async (other) => {
      const wrap = ownProcesses();
      // Where there is no process namespace of its own, pkill may look at this one only.
      const only = wrap === undefined ? '-F "$pidfile"' : '';
      const pid = `sed -E 's/.*"pid":([0-9]+).*/\\1/' '${join(other.home, 'server/daemon.json')}'`;
      const script = `
cd /; authsome() { '${process.execPath}' '${entry}' "$@"; }
authsome whoami >/dev/null || exit 1
first=$(${pid}); pidfile=$HOME/pid; echo $first > $pidfile
pkill -f authsome ${only} || exit 2
while kill -0 $first 2>/dev/null && ! grep -q '^State:.Z' /proc/$first/status; do sleep 0.05; done
authsome list --quiet >/dev/null || exit 3
second=$(${pid}); echo "$first $second"; kill $second`;
      const [program = '', ...args] = [...(wrap ?? []), 'sh', '-s'];
      const outcome = await start({ program, args, env: other.env, stdin: script }).ended;
      expect([outcome.stderr, outcome.code]).toEqual(['', 0]);
      const [first, second] = outcome.stdout.trim().split(' ');
      expect(first).toMatch(/^\d+$/);
      expect(second).toMatch(/^\d+$/);
      expect(second).not.toBe(first);
    });
  });
});

describe('the URL is printed, but no browser opens', () => {
  const opening = (connection: string, env: Readonly<Record<string, string>>) =>
    fixture.startOnTerminal(['login', 'acme', '--connection', connection], { env });

  async function cancel(running: Running): Promise<string> {
    running.type('\x03');
    const outcome = await running.ended;
    expect(outcome.code).toBe(11);
    return screen(outcome.stdout);
  }

  it('over SSH none is started, and the terminal says so', async () => {
    const running = opening('ssh', { SSH_CONNECTION: '192.0.2.1 5 192.0.2.2 22', DISPLAY: ':0' });
    await authorizeUrlOf(running);
    expect(await cancel(running)).toContain('This is an SSH session, so not opening a browser.');
  });

  it('without a display none is started, and the terminal says so', async () => {
    const running = opening('bare', {});
    await authorizeUrlOf(running);
    const text = await cancel(running);
    expect(text).toContain('No display found (DISPLAY and WAYLAND_DISPLAY are not set)');
    expect(text).toContain('Paste the final address here if that device cannot load it.');
  });

  it('BROWSER is honored, wherever it is set, and gets the very URL', async () => {
    const browser = join(fixture.directory, 'my browser');
    const told = join(fixture.directory, 'told');
    writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > '${told}'\n`);
    chmodSync(browser, 0o755);
    const running = opening('named', { BROWSER: `'${browser}'`, SSH_TTY: '/dev/pts/9' });
    const url = await ticketOf(running);
    await until(() => read(told) === url, 10_000);
    expect(await cancel(running)).not.toContain('No browser');
  });

  it('a display without any browser: says how to name one', async () => {
    const running = fixture.startAuthsome(['login', 'acme', '--connection', 'none'], {
      env: { DISPLAY: ':0', PATH: join(fixture.directory, 'no-such-folder') },
    });
    await running.seen('stderr', /export BROWSER=\$\(which firefox\)/);
    expect(running.output.stderr).toContain('https://login.acme.test/authorize?');
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(11);
  });

  it('the URL may be opened on any device, and the address it ends on pasted', async () => {
    const running = opening('pasted', { SSH_TTY: '/dev/pts/9' });
    const browser = fixture.newBrowser();
    const consent = await browser.open(await authorizeUrlOf(running));
    const address = await browser.redirectOf(consent, { decision: 'allow' }, fixture.baseUrl);
    running.type('https://login.acme.test/not-this-one\r');
    await running.seen('stdout', /That is not the final address/);
    running.type(`${address}\r`);
    const outcome = await running.ended;
    expect([outcome.code, screen(outcome.stdout)]).toEqual([
      0,
      expect.stringContaining('✓ Connected acme/pasted'),
    ]);
  });
});

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

describe('authorized, but nothing arrived', () => {
  /** A clock for the daemon and the commands alike, which the test can put forward. */
  function clock(directory: string) {
    const file = join(directory, 'clock.mjs');
    const offset = join(directory, 'clock-offset');
    writeFileSync(
      file,
      `import { readFileSync } from 'node:fs';
const now = Date.now;
Date.now = () => { try { return now() + Number(readFileSync(${JSON.stringify(offset)}, 'utf8')); } catch { return now(); } };`,
    );
    return {
      env: { NODE_OPTIONS: `--import=${file}` },
      forward: (ms: number) => writeFileSync(offset, String(ms)),
    };
  }

  it('a sign-in that timed out shows each cause with its fix, and `login --force` repeats it', async () => {
    await withFixture(await createAcme(), async (other) => {
      await register(other, acmeWithSettings);
      const { env, forward } = clock(other.directory);
      expect((await other.authsome(['daemon', 'stop'])).code).toBe(0);
      const daemon = other.startAuthsome(['daemon', 'serve'], { env });
      await until(
        () =>
          fetch(`${other.baseUrl}/health`).then(
            () => true,
            () => false,
          ),
        20_000,
      );

      const running = other.startOnTerminal(['login', 'acme-apps', '--no-browser'], { env });
      await running.seen('stdout', /Client ID: /);
      running.type(`${other.client.clientId}\r${other.client.clientSecret}\r`);
      const browser = other.newBrowser();
      const consent = await browser.open(await authorizeUrlOf(running));
      forward(11 * 60_000);
      const late = await browser.submit(consent, { decision: 'allow' });
      const outcome = await running.ended;
      expect(outcome.code).toBe(10);
      const text = screen(outcome.stdout);
      expect(text).toContain('Error: the sign-in was not finished in time\n');
      expect(text).toContain(`The browser never came back to ${other.redirectUri}\n`);
      expect(text).toContain('If you did not authorize in time, run: authsome login acme-apps --force\n');
      expect(text).toContain('add 127.0.0.1 and localhost to NO_PROXY');
      expect(text).toContain('use the profile that belongs to this shell');
      expect(text).toContain(`set it to exactly the one above at ${settingsUrl}`);
      expect(text).toContain('authsome help oauth-callbacks');
      expect(late.html).toContain('This sign-in has expired');
      expect(late.html).toContain('NO_PROXY');
      expect(other.service.authorization.issued).toEqual([]);

      const again = other.startAuthsome(['login', '--force', '--json', '--no-browser'], { env });
      const fresh = other.newBrowser();
      await fresh.submit(await fresh.open(await authUrlOf(again)), { decision: 'allow' });
      expect((await again.ended).code).toBe(0);
      daemon.child.kill('SIGTERM');
      await daemon.ended;
    });
  });
});

describe('OAuth state parameter does not match', () => {
  it('is shown in the terminal, and the sign-in that waits continues and completes', async () => {
    const running = fixture.startOnTerminal(['login', 'acme', '--connection', 'state', '--no-browser']);
    const url = await authorizeUrlOf(running);
    const browser = fixture.newBrowser();
    const stale = await browser.open(`${fixture.redirectUri}?code=stolen&state=${'x'.repeat(43)}`);
    expect(stale.status).toBe(400);
    await running.seen('stdout', /Still waiting for you to sign in/);
    expect(screen(running.output.stdout)).toContain('Error: OAuth state parameter does not match\n');
    expect(screen(running.output.stdout)).toContain('A tab from an earlier sign-in used an old link');
    running.type(`${fixture.redirectUri}?code=stolen&state=${'y'.repeat(43)}\r`);
    await running.seen('stdout', /(Still waiting for you[\s\S]*){2}/);
    await browser.submit(await browser.open(url), { decision: 'allow' });
    const outcome = await running.ended;
    expect([outcome.code, outcome.stdout]).toEqual([0, expect.stringContaining('Connected acme/state')]);
    expect(outcome.stdout).not.toContain('stolen&state=xxx');
  });
});

describe('token exchange failed: invalid_client', () => {
  it('is shown with the two commands that fix it, and they do', async () => {
    await withFixture(await createAcme(), async (other) => {
      const running = other.startOnTerminal(['login', 'acme', '--no-browser']);
      await running.seen('stdout', /Client ID: /);
      running.type(`${other.client.clientId}\rcs_rotated_long_ago_000\r`);
      const browser = other.newBrowser();
      const closing = await browser.submit(await browser.open(await authorizeUrlOf(running)), {
        decision: 'allow',
      });
      const outcome = await running.ended;
      expect(outcome.code).toBe(10);
      const text = screen(outcome.stdout);
      expect(text).toContain('Error: token exchange failed: invalid_client\n');
      expect(text).toContain('\n  authsome revoke acme\n  authsome login acme\n');
      expect(text).not.toContain('cs_rotated');
      expect(closing.html).toContain('>authsome revoke acme</code>');
      expect(closing.html).toContain('>authsome login acme</code>');

      expect((await other.authsome(['revoke', 'acme'])).code).toBe(0);
      const again = other.startAuthsome(['login', 'acme', '--json', '--no-browser']);
      expect((await signInWithClient(again, other.newBrowser(), other.client)).outcome.code).toBe(0);
    });
  });
});

describe('too few scopes', () => {
  it('shows what was granted, and asks for consent again with --scopes "a,b" --force', async () => {
    const browser = fixture.newBrowser();
    const signIn = async (...args: readonly string[]) => {
      const running = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser', ...args]);
      const consent = await browser.open(await authUrlOf(running));
      await browser.submit(consent, { decision: 'allow' });
      expect((await running.ended).code).toBe(0);
      return consent;
    };
    await signIn('--connection', 'scoped', '--scopes', 'read');
    const field = ['get', 'acme', '--connection', 'scoped', '--field', 'scopes'];
    expect((await fixture.authsome(field)).stdout).toBe('read\n');
    const again = await signIn('--connection', 'scoped', '--scopes', 'read,write', '--force');
    expect(again.html).toContain('asks for: read write');
    expect((await fixture.authsome(field)).stdout).toBe('read\nwrite\n');
  });
});
