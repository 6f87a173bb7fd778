import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { createBrowser } from '../support/browser.ts';
import { type Fixture, openFixture, register } from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { freePort } from '../support/product.ts';
import { acme, createThrowawayCa, startService } from '../support/service/index.ts';
import { signInWithClient } from '../support/sign-in.ts';
import { Keyring } from './keyring.ts';
import { Ledger } from './ledger.ts';
import { soakHosts } from './plan.ts';
import type { Environs } from './tunnel.ts';
import { startUpstream, type Upstream } from './upstream.ts';

/** The product under the soak: the real program with its daemon, a run of it, and the services that it signs in to. */
export interface SoakFixture {
  readonly environs: Omit<Environs, 'begin' | 'nextNonce'>;
  readonly ledger: Ledger;
  readonly upstream: Upstream;
  readonly daemonPid: number;
  /** Each step changes what a request may carry; one after another. */
  readonly changes: readonly { readonly name: string; run(): Promise<void> }[];
  /** Sockets that the daemon has open now. */
  openSockets(): number;
  residentKb(): number;
  endRun(): Promise<void>;
  /** Resolves when the audit was read to its end. */
  auditRead(): Promise<void>;
  close(): Promise<void>;
}

const client = { clientId: 'authsome-soak', clientSecret: 'cs_of_the_soak' } as const;

function keyProvider(name: string, hosts: readonly string[], header: string, prefix: string) {
  return {
    schema_version: 1,
    name,
    display_name: name,
    auth_type: 'api_key',
    flow: 'api_key',
    api_url: hosts.map((host) => `https://${host}`),
    api_key: { header_name: header, header_prefix: prefix, env_var: `${name.toUpperCase()}_KEY` },
    export: { env: { api_key: `${name.toUpperCase()}_TOKEN` } },
  };
}

export async function openSoakFixture(): Promise<SoakFixture> {
  const keyring = new Keyring([soakHosts.flaky]);
  const ledger = new Ledger(keyring);
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/auth/callback/oauth`;
  const service = await startService({ redirectUri, client, apiKeys: [] });
  const ca = await createThrowawayCa('Throwaway soak CA');
  const stale = new Set<string>();
  const upstream = await startUpstream(
    {
      ledger,
      keyring,
      isStale: (host, credential) =>
        host === soakHosts.refreshed && stale.has(credential.replace('Bearer ', '')),
    },
    await ca.issue(Object.values(soakHosts)),
  );
  const resolve = [
    ...service.resolve.split(',').filter((rule) => !rule.startsWith(`${soakHosts.refreshed}:`)),
    ...Object.values(soakHosts).map((host) => `${host}:443:127.0.0.1:${upstream.securePort}`),
    `${soakHosts.plain}:80:127.0.0.1:${upstream.plainPort}`,
  ].join(',');
  const fixture = await openFixture({ AUTHSOME_PORT: String(port), AUTHSOME_RESOLVE: resolve });
  const caFile = join(fixture.directory, 'roots.pem');
  writeFileSync(caFile, service.caPem + ca.caPem);
  const authsome = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const outcome = await fixture.authsome(args, { env: { AUTHSOME_EXTRA_CA_CERTS: caFile, ...env } });
    if (outcome.code !== 0) throw new Error(`authsome ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  };
  const newKey = (): string => `sk_soak_${randomBytes(18).toString('hex')}`;
  const login = (name: string, key: string): Promise<void> =>
    authsome(['login', name, '--force', '--yes'], { [`${name.toUpperCase()}_KEY`]: key });

  await authsome(['whoami']);
  const rotatedHosts = [soakHosts.rotated, soakHosts.flaky];
  const definitions = [
    keyProvider('rotated', rotatedHosts, 'Authorization', 'Bearer'),
    keyProvider('revoked', [soakHosts.revoked], 'X-API-Key', ''),
    acme,
  ];
  for (const definition of definitions) {
    const outcome = await register(fixture, definition);
    if (outcome.code !== 0) throw new Error(outcome.stderr);
  }
  const first = { rotated: newKey(), revoked: newKey() };
  await login('rotated', first.rotated);
  await login('revoked', first.revoked);
  const signIn = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser']);
  const browser = createBrowser({ port: service.port, caPem: service.caPem });
  const signedIn = await signInWithClient(signIn, browser, client);
  if (signedIn.outcome.code !== 0) throw new Error(signedIn.outcome.stdout);
  keyring.add(rotatedHosts, 'authorization', 'Bearer ', first.rotated);
  keyring.add([soakHosts.revoked], 'x-api-key', '', first.revoked);
  keyring.follow(soakHosts.refreshed, 'authorization', 'Bearer ', () =>
    service.authorization.issued.map(({ accessToken }) => accessToken),
  );

  const audit = followAudit(fixture, ledger);
  const run = fixture.startAuthsome(['run', '--', 'sh', '-c', 'env; echo; echo up; cat'], { stdin: 'open' });
  await run.seen('stdout', /^up$/m);
  const held = new Map(
    run.output.stdout
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const proxy = new URL(held.get('HTTPS_PROXY') ?? '');
  const runCa = readFileSync(held.get('NODE_EXTRA_CA_CERTS') ?? '', 'utf8');
  const daemonPid = fixture.daemonPid() ?? 0;

  const changes: SoakFixture['changes'] = [
    {
      name: 'replace a key',
      async run() {
        const key = newKey();
        keyring.offer(soakHosts.rotated, key);
        await login('rotated', key);
        keyring.settle(soakHosts.rotated);
      },
    },
    {
      name: 'revoke',
      async run() {
        keyring.offer(soakHosts.revoked, undefined);
        await keyring.cutting(soakHosts.revoked, () => authsome(['revoke', 'revoked']));
        keyring.settle(soakHosts.revoked);
      },
    },
    {
      name: 'make a token stale',
      async run() {
        const token = service.authorization.issued.at(-1)?.accessToken;
        if (token !== undefined) stale.add(token);
      },
    },
    {
      name: 'sign in again',
      async run() {
        const key = newKey();
        keyring.offer(soakHosts.revoked, key);
        await login('revoked', key);
        keyring.settle(soakHosts.revoked);
      },
    },
    {
      name: 'change the routes',
      async run() {
        const more = keyProvider(
          'rotated',
          [...rotatedHosts, `more-${newKey().slice(8, 16)}.soak.test`],
          'Authorization',
          'Bearer',
        );
        // As editors do: half of a file would be a provider that is no more, and cut what is under way there.
        const draft = join(fixture.home, 'rotated.json.new');
        writeFileSync(draft, JSON.stringify(more));
        renameSync(draft, join(fixture.home, 'providers/rotated.json'));
      },
    },
  ];

  return {
    ledger,
    upstream,
    daemonPid,
    changes,
    environs: {
      ledger,
      keyring,
      proxyHost: proxy.hostname,
      proxyPort: Number(proxy.port),
      proxyAuthorization: `Basic ${Buffer.from(`${proxy.username}:${proxy.password}`).toString('base64')}`,
      trust: createSecureContext({ ca: [runCa, ca.caPem] }),
      phantoms: new Map([
        [soakHosts.rotated, held.get('ROTATED_TOKEN') ?? ''],
        [soakHosts.flaky, held.get('ROTATED_TOKEN') ?? ''],
        [soakHosts.revoked, held.get('REVOKED_TOKEN') ?? ''],
        [soakHosts.refreshed, held.get('ACME_TOKEN') ?? ''],
      ]),
    },
    openSockets: () => {
      const directory = `/proc/${daemonPid}/fd`;
      return readdirSync(directory).filter((name) => linkOf(join(directory, name)).startsWith('socket:'))
        .length;
    },
    residentKb: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemonPid}/status`, 'utf8'))?.[1] ?? 0),
    async endRun() {
      run.child.stdin?.end();
      await run.ended;
    },
    auditRead: () => audit.until('run.ended'),
    async close() {
      audit.following.child.kill('SIGKILL');
      run.child.kill('SIGKILL');
      upstream.close();
      await fixture.close();
      await service.close();
    },
  };
}

/** Reads the audit as it is written, and puts each decision down in the ledger. */
function followAudit(
  fixture: Fixture,
  ledger: Ledger,
): { readonly following: Running; until(event: string): Promise<void> } {
  const following = fixture.startAuthsome(['log', '--follow', '--json']);
  const ids = new Set<string>();
  const seen = new Set<string>();
  const wakes = new Set<() => void>();
  let rest = '';
  following.child.stdout?.on('data', (text: string) => {
    // The fixture keeps what a command writes: an hour of it would be much.
    following.output.stdout = '';
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as {
        event: string;
        id: string;
        action?: string;
        request?: { method: string; host: string; path: string };
      };
      seen.add(event.event);
      if (event.event !== 'decision') continue;
      if (ids.has(event.id)) ledger.violation(`the audit holds ${event.id} twice`);
      ids.add(event.id);
      enter(ledger, event.action ?? '', event.request ?? { method: '', host: '', path: '' }, line);
    }
    for (const wake of wakes) wake();
  });
  return {
    following,
    until: (event) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!seen.has(event)) return;
          wakes.delete(look);
          resolve();
        };
        wakes.add(look);
        look();
      }),
  };
}

function enter(ledger: Ledger, action: string, request: { readonly path: string }, line: string): void {
  const nonce = /^\/soak\/([\w-]+)$/.exec(request.path)?.[1];
  if (action === 'tunnelled') ledger.tunnels.audited += 1;
  else if (nonce === undefined || nonce.startsWith('never-')) {
    if (action === 'refused') ledger.namelessRefusals.audited += 1;
    else ledger.violation(`a decision that no request asked for: ${line}`);
    ledger.count(`audit: refused, ${(JSON.parse(line) as { outcome: string }).outcome}`);
  } else ledger.decided(nonce, action);
}

/** What a descriptor stands for; nothing once it is closed. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
