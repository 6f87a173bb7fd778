import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StandIn, startStandIn } from '../agents/stand-in.ts';
import { type Fixture, openFixture } from '../support/fixture.ts';

/**
 * The attack: an agent signs in by itself, as its program does, to hold the real tokens of the subscription. Without the
 * capture of its token endpoint it got them, and wrote them into its files. It also spells the endpoint in another way, spends
 * the phantom of one connection at another service, and asks for an API key of its own.
 */
let standIn: StandIn;
let fixture: Fixture;
let directory: string;
beforeAll(async () => {
  standIn = await startStandIn();
  directory = mkdtempSync(join(tmpdir(), 'authsome-capture-'));
  const ca = join(directory, 'ca.pem');
  writeFileSync(ca, standIn.caPem);
  fixture = await openFixture({ AUTHSOME_RESOLVE: standIn.resolve, AUTHSOME_EXTRA_CA_CERTS: ca });
});
afterAll(async () => {
  await fixture.close();
  await standIn.close();
  rmSync(directory, { recursive: true, force: true });
});

const claude = 'https://platform.claude.com';
const signIn = { grant_type: 'authorization_code', code: 'ann', client_id: 'program' };

/** What a program in a run gets for this request. */
async function post(url: string, body: object, ...more: readonly string[]) {
  const content = ['-H', 'content-type: application/json', '--data-binary', JSON.stringify(body)];
  const curl = ['curl', '-sS', '--path-as-is', '-w', '\n%{http_code}', ...content, ...more, url];
  const { stdout } = await fixture.authsome(['run', '--', ...curl]);
  for (const secret of standIn.secrets) expect(stdout).not.toContain(secret);
  const [status = '', ...lines] = stdout.trimEnd().split('\n').reverse();
  return { status: Number(status), fields: JSON.parse(lines.reverse().join('\n') || '{}') };
}

describe('an agent that signs in by itself', () => {
  it('gets phantoms, over HTTP/1.1 and HTTP/2', async () => {
    const one = await post(`${claude}/v1/oauth/token`, signIn, '--http1.1');
    const two = await post(`${claude}/v1/oauth/token`, signIn);
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(one.fields.access_token).toMatch(/phantom/);
    expect(two.fields.access_token).toBe(one.fields.access_token);
    expect(standIn.secrets).toHaveLength(4);
  });

  it.each([
    '/v1/oauth/token/',
    '//v1/oauth/token',
    '/v1/oauth%2ftoken',
    '/V1/oauth/token',
    '/v1/x/../oauth/token',
  ])('gets nothing by another spelling of the endpoint: %s', async (path) => {
    const before = standIn.arrived.length;
    expect((await post(claude + path, signIn)).fields.code).toBe('TargetMismatch');
    expect(standIn.arrived).toHaveLength(before);
  });

  it('cannot spend the phantom of one connection at another service', async () => {
    const { fields } = await post(`${claude}/v1/oauth/token`, signIn);
    const before = standIn.arrived.length;
    const refresh = { grant_type: 'refresh_token', refresh_token: fields.refresh_token };
    const { status, fields: refusal } = await post('https://auth.openai.com/oauth/token', refresh);
    expect([status, refusal.error]).toEqual([400, 'invalid_grant']);
    expect(standIn.arrived).toHaveLength(before);
    const { events } = await fixture.json(['log']);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'answer.failed', outcome: 'PhantomMisplaced' }),
    );
  });

  it('gets no API key of its own', async () => {
    const before = standIn.arrived.length;
    const { fields } = await post('https://api.anthropic.com/api/oauth/claude_cli/create_api_key', {});
    expect(fields.code).toBe('OperationNotAllowed');
    expect(standIn.arrived).toHaveLength(before);
  });
});
