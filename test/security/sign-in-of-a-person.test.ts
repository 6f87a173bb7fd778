import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadIdentity, signRequest } from '../../src/identity/index.ts';
import { type Acme, connectPixel, createAcme, entry, register } from '../support/fixture.ts';
import type { Running } from '../support/product.ts';
import { hosts, pixel } from '../support/service/index.ts';

/**
 * The attack: a person replaces a key in a terminal, `authsome login pixel --force`, while an agent runs. The agent asked the
 * daemon for the last sign-in, and posted a key of its own to it. The terminal said "Connected", and the agent's account had
 * taken the place of the person's. Nothing about it was on record with the run, nor said at its end.
 */
let fixture: Acme;
let person: Running;
let session = '';
let ticket = '';
beforeAll(async () => {
  fixture = await createAcme();
  await connectPixel(fixture);
  person = fixture.startAuthsome(['login', 'pixel', '--force', '--no-browser', '--json']);
  [, ticket = ''] = await person.seen('stdout', /"auth_url":"([^"]+)"/);
  session = /ses_[\w-]+/.exec(ticket)?.[0] ?? '';
});
afterAll(async () => {
  person.child.kill('SIGTERM');
  await person.ended;
  await fixture.close();
});

const agentsKey = `px_agents_${'a'.repeat(40)}`;
const command = `"${process.execPath}" "${entry}"`;
const inRun = (script: string) => fixture.authsome(['run', '--', 'sh', '-c', script]);
const stored = async (provider: string) =>
  (await fixture.authsome(['get', provider, '--field', 'api_key', '--show-secret'])).stdout.trim();

describe('an agent in a run', () => {
  it.each([
    ['looks at it', `login --status`],
    ['looks at it as a document', `login --json --status`],
    ['waits for it, with a key in a pipe', `login --wait`],
  ])('is refused a sign-in that a person has begun when it %s', async (_what, line) => {
    const { code, stdout, stderr } = await inRun(`echo ${agentsKey} | ${command} ${line} ${session}`);
    expect(code).toBe(12);
    expect(stdout + stderr).toContain('not from inside a run: ');
    expect(stdout + stderr).not.toContain(ticket);
    expect(await stored('pixel')).toBe(fixture.apiKey);
  });

  it.runIf(process.platform === 'linux').each([
    ['asks for the last one', 'GET', '/last', undefined],
    ['enters a key', 'POST', '/:id/secret', { api_key: agentsKey }],
    ['enters a client', 'POST', '/:id/client', { client_id: 'agent', client_secret: '' }],
    ['enters an address', 'POST', '/:id/callback', { url: 'http://127.0.0.1/?code=x&state=y' }],
    ['asks for another address', 'POST', '/:id/address', undefined],
    ['ends it', 'DELETE', '/:id', undefined],
  ])('is refused when it %s with a call that it signs itself', async (_what, method, path, body) => {
    const { stdout } = await inRun(
      await signedCall(method, `/v1/auth-sessions${path.replace(':id', session)}`, body),
    );
    expect(stdout).toContain('403 ');
    expect(stdout).toContain('"error":"DeniedInRun"');
    expect(stdout).not.toContain('auth_url');
    expect(await stored('pixel')).toBe(fixture.apiKey);
    expect((await fixture.json(['login', '--status', session])).status).toBe('waiting');
  });

  it('can begin one of its own, which is on record with its run and told at its end', async () => {
    const { name: _, ...rest } = pixel;
    await register(fixture, {
      ...{ ...rest, name: 'second', api_url: `https://${hosts.login}` },
      ...{ api_key: { ...pixel.api_key, env_var: 'SECOND_KEY' }, export: {} },
    });
    const { code, stderr } = await inRun(`echo ${fixture.apiKey} | ${command} login second`);
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining('during this run: second/default connected.'),
    ]);
    const { events } = await fixture.json(['log', '-n', '20']);
    const [completed] = events.filter(
      ({ event, provider }: { event: string; provider?: string }) =>
        event === 'sign_in.completed' && provider === 'second',
    );
    expect(completed).toMatchObject({ run: expect.stringMatching(/^run_/), program: expect.any(String) });
  });
});

/** What a shell runs to send a call with the identity's own key, and to print the answer. */
async function signedCall(method: string, target: string, document: unknown): Promise<string> {
  const identity = loadIdentity({ directory: join(fixture.home, 'identities'), randomBytes });
  const { origin } = new URL(fixture.baseUrl);
  const headersFor = (
    call: { readonly method: string; readonly target: string; readonly body: Uint8Array },
    instance?: string,
  ) =>
    signRequest(
      identity,
      { ...call, origin, ...(instance === undefined ? {} : { instance }) },
      { nowMs: Date.now(), nonce: randomBytes(16).toString('base64url') },
    );
  // A first call is refused, and says which start of the daemon to sign for.
  const first = { method: 'GET', target: '/v1/whoami', body: new Uint8Array() };
  const response = await fetch(`${origin}/v1/whoami`, { headers: headersFor(first) });
  const instance = response.headers.get('authsome-instance') ?? undefined;
  const body = document === undefined ? '' : JSON.stringify(document);
  const headers = {
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
    ...headersFor({ method, target, body: Buffer.from(body) }, instance),
  };
  const file = join(fixture.directory, 'call.cjs');
  writeFileSync(
    file,
    `const { request } = require('node:http');
const call = request(${JSON.stringify(`${origin}${target}`)}, ${JSON.stringify({ method, headers })}, (answer) => {
  process.stdout.write(answer.statusCode + ' ');
  answer.pipe(process.stdout);
});
call.end(${JSON.stringify(body)});
`,
  );
  return `env -u AUTHSOME_RUN "${process.execPath}" "${file}"`;
}
