import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthSessionDocument, Client, RegisterDocument } from '../client/index.ts';
import { AuthsomeError } from '../errors.ts';
import type { Finding } from '../scan/index.ts';
import { approveHosts } from './commands/connections.ts';
import { explain } from './commands/explain.ts';
import { get } from './commands/get.ts';
import { inspect } from './commands/inspect.ts';
import { list } from './commands/list.ts';
import { log } from './commands/log.ts';
import { logout } from './commands/logout.ts';
import { doctor } from './commands/machine/doctor.ts';
import { revoke } from './commands/revoke.ts';
import { whoami } from './commands/whoami.ts';
import type { CommandContext } from './context.ts';
import { showFailure } from './failure.ts';
import {
  announceClient,
  announceConnected,
  announceProvider,
  announceUrl,
  announceWarnings,
} from './login/announce.ts';
import { asksLines } from './output/asks.ts';
import { unknownFieldLines } from './output/unknown-fields.ts';
import { showFindings, showSkipped } from './scan/report.ts';
import { testContext } from './test-context.ts';

/** A command that prints data of others, each text of which is `x`. */
type Scene = (context: CommandContext, x: string) => unknown;

const calling =
  (command: (context: CommandContext) => unknown, client: (x: string) => Record<string, unknown>): Scene =>
  (context, x) => {
    const answers = client(x);
    const calls = Object.fromEntries(
      Object.entries(answers).map(([name, answer]) => [name, async () => answer]),
    );
    return command({ ...context, client: async () => calls as unknown as Client });
  };

const session = (x: string, more: object = {}) =>
  ({
    v: 1,
    session_id: x,
    provider: x,
    display_name: x,
    connection: x,
    redirect_uri: x,
    account: x,
    scopes: [x, x],
    auth_url: `https://a.example/${x}`,
    provider_url: `https://a.example/p/${x}`,
    auth_url_expires_at: '2026-01-01T00:01:00Z',
    warnings: [{ error: x, message: x }],
    flow: 'pkce',
    ...more,
  }) as unknown as AuthSessionDocument;
const connection = (x: string) => ({
  v: 1,
  name: x,
  provider: x,
  connection: x,
  is_default: true,
  status: 'invalid',
  scopes: [x, x],
  expires_at: null,
  obtained_at: x,
  auth_type: x,
  account: x,
  base_url: x,
  unapproved_hosts: [x, x],
  sign_in_again: x,
});
const asks = (x: string) => ({
  hosts: [x],
  placements: [x],
  endpoints: [{ name: x, url: x }],
  variables_read: [{ name: x, sent_to: [x, x] }],
  variables_set: [x],
  turns_off: [x],
  commands_run: [],
});
const definition = (x: string) => ({
  v: 1,
  name: x,
  display_name: x,
  source: x,
  oauth: { scopes: [x, x], deep: { deeper: x } },
  [`x${x}`]: x,
  unknown_fields: [{ pointer: `/a/${x}`, meant: x }],
  asks_for: asks(x),
  asks_for_with_base_url: asks(x),
  changes: { added: asks(x), removed: asks(x) },
  changes_with_base_url: null,
});
const finding = (x: string) =>
  ({
    provider: { provider: x, displayName: x },
    alternatives: [{ provider: x }],
    variable: x,
    value: x,
    place: { file: x, assignment: { line: 3 } },
    inVault: 'different',
  }) as unknown as Finding;

const scenes: Readonly<Record<string, Scene>> = {
  list: calling(
    (context) => list(context, { all: true }),
    (x) => ({
      list: {
        v: 1,
        providers: [
          { name: x, display_name: x, source: 'custom', flow: x, connections: [connection(x)] },
          { name: x, display_name: x, source: 'custom', flow: x, connections: [] },
        ],
      },
    }),
  ),
  get: calling(
    (context) => get(context, { provider: 'p', showSecret: false }),
    (x) => ({ connection: connection(x) }),
  ),
  inspect: calling(
    (context) => inspect(context, { provider: 'p' }),
    (x) => ({ inspectProvider: definition(x) }),
  ),
  log: calling(
    (context) => log(context, { limit: 1, follow: false, all: true }),
    (x) => ({
      audit: {
        v: 1,
        events: [
          {
            at: x,
            event: x,
            outcome: x,
            provider: x,
            connection: x,
            reason: x,
            request: { method: x, host: x, port: 443, path: x },
          },
          { at: x, event: 'decision', outcome: 'ok', id: x, detail: x },
        ],
      },
    }),
  ),
  explain: calling(
    (context) => explain(context, 'last'),
    (x) => ({
      decision: {
        ...{ decision: x, at: x, outcome: x, reason: x, route: x, connection: x, rule: x, placement: x },
        request: { method: x, host: x, port: 1, path: x },
        missing_scopes: [x, x],
        hint: x,
        candidates: [
          { matched: true, route: x, reason: x },
          { matched: false, route: x, reason: x },
        ],
      },
    }),
  ),
  doctor: calling(doctor, (x) => ({
    doctor: { checks: [{ name: x, status: 'fail', message: x, fix: null }] },
    whoami: { daemon: { url: x, pid: 1, version: x } },
  })),
  whoami: calling(whoami, (x) => ({
    whoami: {
      ...{ identity: x, did: x, vault: x, key_source: x, home: x, version: x },
      principal: { id: x, role: x },
      daemon: { url: x, pid: 1, version: x },
    },
  })),
  logout: calling(
    (context) => logout(context, { provider: 'p' }),
    (x) => ({ logout: { provider: x, connection: x, remote: 'revoked' } }),
  ),
  revoke: calling(
    (context) => revoke(context, 'p'),
    (x) => ({ revokeProvider: { provider: x, connections: [x], remote: {}, client_cleared: true } }),
  ),
  'connections approve-hosts': calling(
    (context) => approveHosts(context, { provider: 'p', yes: true }),
    (x) => {
      const hosts = { provider: x, connection: x, before: [x, x], after: [x], added: [x] };
      return { hosts, approveHosts: hosts, connectionHosts: hosts };
    },
  ),
  'register, which shows what is asked for': ({ terminal }, x) => {
    const document = definition(x) as unknown as RegisterDocument;
    for (const line of [...asksLines(document), ...unknownFieldLines(document)]) terminal.warn(line);
  },
  'login, while it waits': (context, x) => {
    const setup = { url: `https://a.example/${x}`, steps: [x, x] };
    announceUrl(context, session(x));
    announceUrl(context, session(x, { verification_uri: x, user_code: x }));
    announceProvider(context, session(x), { settingsUrl: x, takesPaste: false });
    announceProvider(context, session(x, { flow: 'dcr_pkce' }), { settingsUrl: x, takesPaste: true });
    announceClient(context, session(x), setup);
    announceWarnings(context, session(x), 0);
  },
  'login, at its end': (context, x) => announceConnected(context, session(x)),
  scan: ({ terminal }, x) => {
    const unclaimed = [{ variable: x, file: x, line: 3 }];
    showFindings(terminal, [finding(x), finding(x)], unclaimed);
    const place = { provider: x, variable: x, file: x, line: 3 };
    showSkipped(terminal, [{ ...place, error: x, reason: x, hint: x }]);
  },
  'an error': ({ terminal }, x) =>
    showFailure(terminal, new AuthsomeError('SignInFailed', x, { hint: `${x}x`.replaceAll('\n', '') })),
};

/** What of a command's output is not plain text: marks of authsome, line ends, and whatever else controls a terminal. */
async function controls(scene: Scene, x: string): Promise<readonly string[]> {
  const { context, output } = testContext({ environment: { NO_COLOR: '', FORCE_COLOR: '1' } });
  await scene(context, x);
  const shown = output.stdout + output.stderr;
  return shown.match(/\u001b\[\d+m|[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu) ?? [];
}

const pieces = fc.oneof(
  fc.constantFrom(
    ...['\u001b[31m', '\u001b[22m', '\u001b]8;;https://evil.example\u001b\\', '\u001b]0;t\u0007', '\u009b2J'],
    ...[
      '\n',
      '\r',
      '\t',
      '\b',
      '\u007f',
      '\u0000',
      '\u202e',
      '\u2066',
      '\u200f',
      '\u2028',
      '\u2029',
      '\u0085',
    ],
    ...['Error: ', 'ok', '日本', '%s', '\\u001b'],
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const hostile = fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => `x${parts.join('')}x`);

describe('text from outside', () => {
  it.each(Object.entries(scenes))('adds no line and no mark to what %s prints', async (_, scene) => {
    const usual = await controls(scene, 'x');
    expect(usual.length).toBeGreaterThan(0);
    const exitCode = process.exitCode;
    await fc.assert(
      fc.asyncProperty(hostile, async (x) => {
        expect(await controls(scene, x)).toEqual(usual);
      }),
      { numRuns: 60 },
    );
    process.exitCode = exitCode;
  });
});
