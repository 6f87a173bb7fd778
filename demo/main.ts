/**
 * The main job, shown end to end on one machine: no account, no internet. Starts the demo's own services, signs in
 * through the product's own pages, runs two agents, and checks everything it prints.
 */
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createBrowser } from '../test/support/browser.ts';
import { freePort, type Outcome, start } from '../test/support/product.ts';
import { acme, hosts, pixel, type ReceivedRequest, startService } from '../test/support/service/index.ts';
import { signInWithClient, signInWithKey } from '../test/support/sign-in.ts';
import { createStory, glimpse, type Story } from './story.ts';

const [entry = 'dist/main.js', agent = 'demo/agent.mjs'] = process.argv.slice(2);
const colors = process.stdout.isTTY && process.env.NO_COLOR === undefined;
const story = createStory((line) => console.log(line), colors);
const directory = mkdtempSync(join(tmpdir(), 'authsome-demo-'));
const startedAtMs = Date.now();
console.log('\nauthsome: agents use your accounts and never hold the key. All of this runs on this machine.');
try {
  await tell(story);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1);
const passed = story.checks - story.failures;
const result =
  story.failures === 0 ? `${passed} checks passed` : `${passed} checks passed, ${story.failures} failed`;
console.log(`\n${result} in ${seconds} s. Your turn: npx authsome login github\n`);
process.exitCode = story.failures === 0 ? 0 : 1;

async function tell({ chapter, command, fact, text, check }: Story): Promise<void> {
  const port = await freePort();
  const client = { clientId: 'authsome-demo', clientSecret: `cs_${randomText(24)}` };
  const apiKey = `px_${randomText(32)}`;
  const service = await startService({
    redirectUri: `http://127.0.0.1:${port}/auth/callback/oauth`,
    client,
    apiKeys: [apiKey],
  });
  const caFile = write('ca.pem', service.caPem);
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    HOME: directory,
    AUTHSOME_HOME: join(directory, 'home'),
    AUTHSOME_PORT: String(port),
    AUTHSOME_RESOLVE: service.resolve,
    AUTHSOME_EXTRA_CA_CERTS: caFile,
    // The agents trust the demo's CA too, as they would a real one.
    SSL_CERT_FILE: caFile,
    NODE_EXTRA_CA_CERTS: caFile,
  };
  const authsome = (...args: readonly string[]) =>
    start({ program: process.execPath, args: [entry, ...args], env });
  const run = (...args: readonly string[]): Promise<Outcome> => authsome(...args).ended;
  const browser = createBrowser({ port: service.port, caPem: service.caPem });
  const arrived = (host: string): ReceivedRequest | undefined =>
    service.api.received.findLast((request) => request.host === host);

  try {
    chapter('1  Sign in, once');
    command('authsome register acme.json --yes && authsome register pixel.json --yes');
    const registered = await Promise.all(
      [acme, pixel].map((one) => run('register', write(`${one.name}.json`, JSON.stringify(one)), '--yes')),
    );
    check('two services that authsome did not know are registered, one file each', registered.every(isDone));

    command('authsome login acme');
    const withClient = await signInWithClient(
      authsome('login', 'acme', '--json', '--no-browser'),
      browser,
      client,
    );
    const token = service.authorization.issued[0]?.accessToken ?? '';
    check(
      'the local page asked for the OAuth client and showed the redirect URI',
      withClient.asked.html.includes(`http://127.0.0.1:${port}/auth/callback/oauth`),
    );
    check('Acme asked for consent, and signed in with PKCE', isDone(withClient.outcome) && token !== '');

    command('authsome login pixel');
    const withKey = await signInWithKey(
      authsome('login', 'pixel', '--json', '--no-browser'),
      browser,
      apiKey,
    );
    check(
      'the local page took the API key in a masked field',
      isDone(withKey.outcome) && withKey.asked.html.includes('type="password"'),
    );
    text((await run('list')).stdout);

    chapter('2  Run an agent');
    const secrets = [
      token,
      apiKey,
      client.clientSecret,
      service.authorization.issued[0]?.refreshToken ?? token,
    ];
    if (isOnPath('curl')) {
      const line = `curl -sS -H "Authorization: Bearer $ACME_TOKEN" https://${hosts.api}/v1/me`;
      command(`authsome run -- sh -c '${line}'`);
      const curl = await run('run', '--', 'sh', '-c', `echo "$ACME_TOKEN"; ${line}`);
      const [phantom = '', answer = ''] = curl.stdout.split('\n');
      fact('the agent has', `ACME_TOKEN=${glimpse(phantom)}`, 'a phantom');
      fact(`${hosts.api} received`, `Authorization: Bearer ${glimpse(token)}`, 'the real one');
      fact('and responded', answer);
      check(
        'curl got its response without the credential',
        isDone(curl) && answer.includes('hello') && !holdsAny(curl.stdout, secrets),
      );
      check(
        'the API received the real token',
        arrived(hosts.api)?.headers.authorization === `Bearer ${token}`,
      );
    }
    command('authsome run -- node agent.mjs');
    const node = await run('run', '--', process.execPath, agent);
    const report = readReport(node);
    const { ACME_TOKEN: heldToken = '', PIXEL_API_KEY: heldKey = '' } = report.environment;
    fact('the agent has', `ACME_TOKEN=${glimpse(heldToken)} PIXEL_API_KEY=${glimpse(heldKey)}`, 'phantoms');
    fact(
      `${hosts.keyApi} received`,
      `X-API-Key: ${glimpse(String(arrived(hosts.keyApi)?.headers['x-api-key']))}`,
      'the real one',
    );
    check(
      'no variable in the agent’s environment is a secret',
      heldToken !== '' && heldKey !== '' && !holdsAny(JSON.stringify(report.environment), secrets),
    );
    check(
      'both APIs received the real credentials',
      arrived(hosts.keyApi)?.headers['x-api-key'] === apiKey &&
        arrived(hosts.api)?.headers.authorization === `Bearer ${token}`,
    );
    check(
      'both APIs responded to the agent',
      report.statuses.account === 200 && report.statuses.image === 200,
    );

    chapter('3  The agent gives its key away');
    const leaked = arrived(hosts.stranger);
    fact(
      'a stranger received',
      `Authorization: ${glimpse(String(leaked?.headers.authorization).slice(7))}`,
      'the phantom, which is worth nothing',
    );
    check(
      'a phantom that is sent to another host stays a phantom',
      leaked?.headers.authorization === `Bearer ${heldToken}` && leaked.headers['x-api-key'] === heldKey,
    );

    chapter('4  Afterwards');
    command('authsome log -n 5');
    const log = await run('log', '-n', '5');
    text(log.stdout);
    check(
      'the log shows what happened, without a secret',
      isDone(log) && log.stdout.includes(hosts.api) && !holdsAny(log.stdout, secrets),
    );
    const decision = await injectedDecision(run);
    command(`authsome explain ${decision}`);
    const explained = await run('explain', decision);
    text(explained.stdout);
    check(
      'explain shows which connection was used and where the credential went',
      isDone(explained) && explained.stdout.includes('acme') && !holdsAny(explained.stdout, secrets),
    );

    command('authsome revoke acme');
    const revoked = await run('revoke', 'acme');
    const before = service.api.received.length;
    const refused = readReport(await run('run', '--', process.execPath, agent));
    check(
      'the token is revoked at Acme and here: no request gets a credential',
      isDone(revoked) &&
        !(await service.authorization.accepts(token)) &&
        refused.statuses.account !== 200 &&
        !service.api.received
          .slice(before)
          .some((request) => request.headers.authorization === `Bearer ${token}`),
    );
  } finally {
    await run('daemon', 'stop');
    await service.close();
  }
}

/** The id of the newest decision that put a credential on a request to Acme. */
async function injectedDecision(run: (...args: readonly string[]) => Promise<Outcome>): Promise<string> {
  const { stdout } = await run('log', '-n', '50', '--json');
  const { events } = JSON.parse(stdout) as { events: readonly Record<string, string>[] };
  const found = events.findLast((event) => event.provider === 'acme' && event.outcome === 'injected');
  return found?.id ?? 'last';
}

interface AgentReport {
  readonly environment: Readonly<Record<string, string>>;
  readonly statuses: { readonly account: number; readonly image: number; readonly leak: number };
}

function readReport(outcome: Outcome): AgentReport {
  try {
    return JSON.parse(outcome.stdout) as AgentReport;
  } catch {
    console.error(outcome.stdout + outcome.stderr);
    return { environment: {}, statuses: { account: 0, image: 0, leak: 0 } };
  }
}

function isDone(outcome: Outcome): boolean {
  if (outcome.code !== 0) console.error(outcome.stdout + outcome.stderr);
  return outcome.code === 0;
}

function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret));
}

function write(name: string, content: string): string {
  const file = join(directory, name);
  writeFileSync(file, content);
  return file;
}

function randomText(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('');
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
