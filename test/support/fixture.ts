/** The stand of every end-to-end test: the built program with a home, a port and an environment of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, createBrowser } from './browser.ts';
import { freePort, type Outcome, type Running, type StartOptions, start } from './product.ts';
import { acme, hosts, pixel, type Service, type ServiceOptions, startService } from './service/index.ts';
import { type SignedIn, signInWithClient, signInWithKey } from './sign-in.ts';

export const root = resolve(import.meta.dirname, '../..');
export const entry = join(root, 'dist/main.js');

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: StartOptions['stdin'];
  readonly cwd?: string;
}

/** One throwaway home with its own daemon on a port of its own, and nothing of the machine's environment. */
export interface Fixture {
  readonly directory: string;
  readonly home: string;
  readonly port: number;
  readonly baseUrl: string;
  readonly redirectUri: string;
  readonly env: Readonly<Record<string, string>>;
  /** What commands have written so far, all of them. */
  readonly written: string[];
  authsome(args: readonly string[], options?: CommandOptions): Promise<Outcome>;
  startAuthsome(args: readonly string[], options?: CommandOptions): Running;
  /** As `authsome`, on a terminal. Its screen is `stdout`. */
  startOnTerminal(args: readonly string[], options?: CommandOptions): Running;
  /** The one document that `--json` printed; throws unless the exit code is as expected. */
  // biome-ignore lint/suspicious/noExplicitAny: documents are asserted on, key by key
  json(args: readonly string[], code?: number, options?: CommandOptions): Promise<any>;
  daemonPid(): number | undefined;
  close(): Promise<void>;
}

export async function openFixture(env: Readonly<Record<string, string>> = {}): Promise<Fixture> {
  const directory = mkdtempSync(join(tmpdir(), 'authsome-e2e-'));
  const home = join(directory, 'home');
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const fixtureEnv: Readonly<Record<string, string>> = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    LANG: 'C.UTF-8',
    AUTHSOME_HOME: home,
    AUTHSOME_PORT: String(port),
    ...env,
  };
  const written: string[] = [];
  const keep = (running: Running): Running => {
    running.ended.then(
      (outcome) => written.push(outcome.stdout, outcome.stderr),
      () => {},
    );
    return running;
  };
  const launch = (program: string, args: readonly string[], options: CommandOptions): Running =>
    keep(
      start({
        program,
        args,
        env: { ...fixtureEnv, ...options.env },
        cwd: options.cwd ?? directory,
        ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      }),
    );

  const fixture: Fixture = {
    directory,
    home,
    port,
    baseUrl,
    redirectUri: `${baseUrl}/auth/callback/oauth`,
    env: fixtureEnv,
    written,
    startAuthsome: (args, options = {}) => launch(process.execPath, [entry, ...args], options),
    startOnTerminal: (args, options = {}) =>
      launch('python3', ['-c', terminal, process.execPath, entry, ...args], { stdin: 'open', ...options }),
    authsome: (args, options = {}) => fixture.startAuthsome(args, options).ended,
    async json(args, code = 0, options = {}) {
      const outcome = await fixture.authsome([...args, '--json'], options);
      if (outcome.code !== code) {
        throw new Error(`authsome ${args.join(' ')} ended with ${outcome.code}, not ${code}:
${outcome.stdout}${outcome.stderr}`);
      }
      return JSON.parse(outcome.stdout);
    },
    daemonPid() {
      try {
        const document: unknown = JSON.parse(readFileSync(join(home, 'server/daemon.json'), 'utf8'));
        return (document as { pid?: number }).pid;
      } catch {
        return undefined;
      }
    },
    async close() {
      const pid = fixture.daemonPid();
      if (pid !== undefined && isAlive(pid)) {
        process.kill(pid, 'SIGTERM');
        await gone(pid, 5_000).catch(() => process.kill(pid, 'SIGKILL'));
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return fixture;
}

/** A fixture with the demo's services beside it, and both of their providers registered. */
export interface Acme extends Fixture {
  readonly service: Service;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
  readonly apiKey: string;
  /** A browser without script that reaches both the services and the daemon's pages. */
  newBrowser(): Browser;
}

export type AcmeOptions = Partial<
  Pick<ServiceOptions, 'firstTokenTtlSeconds' | 'rotateRefreshTokens' | 'features'>
> & {
  readonly env?: Readonly<Record<string, string>>;
  /** What the client is registered with there, where that is not the daemon's own. */
  readonly registeredRedirectUri?: string;
};

const apiKey = `px_${'k3y'.repeat(10)}zz`;
const client = { clientId: 'authsome-e2e', clientSecret: 'cs_5f1e0c9a7b3d4e2f8a6c' } as const;

export async function createAcme(options: AcmeOptions = {}): Promise<Acme> {
  const { env, registeredRedirectUri, ...serviceOptions } = options;
  // The redirect URI contains the daemon's port, and the daemon's environment the service's, so the port comes first.
  const port = await freePort();
  const redirectUri = `http://127.0.0.1:${port}/auth/callback/oauth`;
  const service = await startService({
    ...serviceOptions,
    redirectUri: registeredRedirectUri ?? redirectUri,
    client,
    apiKeys: [apiKey],
  });
  const directory = mkdtempSync(join(tmpdir(), 'authsome-ca-'));
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, service.caPem);
  const fixture = await openFixture({
    AUTHSOME_PORT: String(port),
    AUTHSOME_RESOLVE: service.resolve,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
    ...env,
  });
  const acmeFixture: Acme = {
    ...fixture,
    port,
    baseUrl: `http://127.0.0.1:${port}`,
    redirectUri,
    service,
    client,
    apiKey,
    newBrowser: () => createBrowser({ port: service.port, caPem: service.caPem }),
    async close() {
      await fixture.close();
      await service.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (const definition of [acme, pixel]) await register(acmeFixture, definition);
  return acmeFixture;
}

/** Signs in to Acme (PKCE) through the product's pages. */
export function connectAcme(fixture: Acme, ...more: readonly string[]): Promise<SignedIn> {
  const login = fixture.startAuthsome(['login', 'acme', '--json', '--no-browser', ...more]);
  return signInWithClient(login, fixture.newBrowser(), fixture.client);
}

/** Signs in to Pixel (API key) through the product's page. */
export function connectPixel(fixture: Acme, ...more: readonly string[]): Promise<SignedIn> {
  const login = fixture.startAuthsome(['login', 'pixel', '--json', '--no-browser', ...more]);
  return signInWithKey(login, fixture.newBrowser(), fixture.apiKey);
}

/** All that `run` writes on stderr where nothing happens: the fixtures' services have addresses and a root of their own. */
export const overridesNote = /^authsome: this run [^\n]*\nauthsome: the daemon (?:finds|trusts) [^\n]*\n$/;

/** The command that calls Acme's API in a run, and prints the status of its answer. */
export const askAcme: readonly string[] = [
  ...['run', '--', 'curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}'],
  `https://${hosts.api}/v1/me`,
];

/** The last document that a command printed with `--json`. */
export function lastDocument({ stdout }: Pick<Outcome, 'stdout'>): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

/** Where a sign-in to Acme on a terminal sends the person: the first such address behind what matches `after`. */
export async function authorizeUrlOf(running: Running, after = ''): Promise<string> {
  const [, url = ''] = await running.seen(
    'stdout',
    new RegExp(`${after}[\\s\\S]*?(https://login\\.acme\\.test/authorize\\?[^\\s\\u001b]+)[\\s\\u001b]`),
  );
  return url;
}

/** The address that a sign-in on a terminal prints for a browser on this machine. */
export async function ticketOf(running: Running): Promise<string> {
  const [, url = ''] = await running.seen(
    'stdout',
    /(http:\/\/127\.0\.0\.1:\d+\/auth\/sessions\/[\w-]+\/[\w-]+)[\s\u001b]/,
  );
  return url;
}

/** Writes a definition to a file and registers it. */
export async function register(
  fixture: Fixture,
  definition: Readonly<Record<string, unknown>>,
  ...flags: readonly string[]
): Promise<Outcome> {
  const file = join(fixture.directory, `${definition.name}.json`);
  writeFileSync(file, JSON.stringify(definition));
  return fixture.authsome(['register', file, '--yes', ...flags]);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie that nobody reaps (process 1 of a container may not) has ended.
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

/** Resolves once the first token of a grant that lives `ttlSeconds` has expired, by the clock of a real server. */
export function expiry(ttlSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ttlSeconds * 1000 + 500));
}

/** Resolves once the process has ended. */
export async function gone(pid: number, withinMs: number): Promise<void> {
  await until(() => !isAlive(pid), withinMs);
}

/** Resolves once the condition is true; rejects when it is not in time. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come true in time');
    await new Promise((resolveLater) => setTimeout(resolveLater, 20));
  }
}

/** Runs `work` in a fixture of its own and clears it away, whatever happens. */
export async function withFixture<Of extends Fixture>(
  fixture: Of,
  work: (fixture: Of) => Promise<void>,
): Promise<void> {
  try {
    await work(fixture);
  } finally {
    await fixture.close();
  }
}

/** A pty around the command: typed input goes in through stdin, the screen comes out of stdout. */
const terminal = `import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))`;
