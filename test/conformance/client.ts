/**
 * The client that the conformance suite drives, once for each scenario: signs in with the real binary, as a person whose
 * browser says yes to everything, and then makes its MCP requests through `authsome run`, as an agent that does
 * what it is told. Where the product stands comes in through AUTHSOME_ENTRY and the fixture's own variables.
 */
import { readFileSync } from 'node:fs';
import { createBrowser } from '../support/browser.ts';
import { type Outcome, start } from '../support/product.ts';
import { authUrlOf } from '../support/sign-in.ts';

interface Answer {
  readonly status: number;
  /** What the product says that would help. */
  readonly hint: string | undefined;
}

const { env } = process;
const entry = env.AUTHSOME_ENTRY ?? '';
const protocolVersion = env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '';
const isStateless = protocolVersion >= '2026';
const serverUrl = process.argv.at(-1) ?? '';
const given = JSON.parse(env.MCP_CONFORMANCE_CONTEXT ?? '{}') as {
  readonly client_id?: string;
  readonly client_secret?: string;
};
const browser = createBrowser({ caPem: readFileSync(env.CONFORMANCE_CA ?? '', 'utf8') });

function launch(args: readonly string[]) {
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return start({ program: process.execPath, args: [entry, ...args], env: Object.fromEntries(kept) });
}

async function signIn(...args: readonly string[]): Promise<void> {
  const login = launch(['login', ...args, '--json', '--no-browser']);
  try {
    const page = await browser.open(await authUrlOf(login));
    if (page.html.includes('name="client_id"')) {
      const { client_id = '', client_secret = '' } = given;
      await browser.submit(page, { client_id, client_secret });
    }
  } catch {
    // It ended without asking anything of the browser: its outcome tells.
  }
  succeed(await login.ended);
}

function succeed(outcome: Outcome): Outcome {
  console.error(outcome.stderr, outcome.stdout);
  if (outcome.code !== 0) process.exit(outcome.code);
  return outcome;
}

let requests = 0;

async function call(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  requests += 1;
  const isNotification = method.startsWith('notifications/');
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': protocolVersion,
    'io.modelcontextprotocol/clientInfo': { name: 'authsome-conformance', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const message = {
    jsonrpc: '2.0',
    ...(isNotification ? {} : { id: requests }),
    method,
    params: isStateless ? { ...params, _meta } : params,
  };
  const headers = [
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `MCP-Protocol-Version: ${protocolVersion}`,
    ...(isStateless ? [`Mcp-Method: ${method}`] : []),
  ].flatMap((line) => ['-H', line]);
  // Loopback is in NO_PROXY, and this very host is what the run is for.
  const curl = ['curl', '--noproxy', '', '-sS', '-i', '-X', 'POST', ...headers];
  const { stdout } = succeed(
    await launch(['run', '--', ...curl, '--data', JSON.stringify(message), serverUrl]).ended,
  );
  const head = stdout.slice(stdout.lastIndexOf('HTTP/1.1 '));
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]),
    hint: /^authsome-hint: (.*?)\r$/im.exec(head)?.[1],
  };
}

/** One request, and once more after what the product says would help. */
async function insist(method: string, params?: Readonly<Record<string, unknown>>): Promise<void> {
  let answer = await call(method, params);
  if (answer.status === 401) {
    await signIn(serverUrl, '--force');
    answer = await call(method, params);
  } else if (answer.status === 403 && answer.hint !== undefined) {
    const [, provider, scopes] = /authsome login (\S+) --scopes "([^"]+)" --force/.exec(answer.hint) ?? [];
    if (provider === undefined || scopes === undefined) return giveUp(method, answer);
    await signIn(provider, '--scopes', scopes, '--force');
    answer = await call(method, params);
  }
  if (answer.status < 200 || answer.status > 299) giveUp(method, answer);
}

function giveUp(method: string, { status, hint }: Answer): never {
  console.error(`${method} is refused: ${status} ${hint ?? ''}`);
  process.exit(1);
}

// One home serves all scenarios: an earlier one may have had this very port.
const { host } = new URL(serverUrl);
for (const command of ['logout', 'remove']) await launch([command, host.replace(':', '-')]).ended;
await signIn(serverUrl);
if (!isStateless) {
  const clientInfo = { name: 'authsome-conformance', version: '1' };
  await insist('initialize', { protocolVersion, capabilities: {}, clientInfo });
  await insist('notifications/initialized');
}
await insist('tools/list');
await insist('tools/call', { name: 'test-tool', arguments: {} });
