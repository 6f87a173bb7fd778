import { readdirSync, readlinkSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  type Acme,
  connectAcme,
  createAcme,
  gone,
  overridesNote,
  until,
  withFixture,
} from '../support/fixture.ts';
import { hosts } from '../support/service/index.ts';
import { granted, holdTokenRequest } from '../support/token-endpoint.ts';

const crowd = Array.from({ length: 50 }, (_, index) => index);
const me = `https://${hosts.api}/v1/me`;
const curl = ['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}\n', me] as const;

/** Connected, with no daemon, and past the end of its token; the next one lives for an hour. */
async function expired(work: (fixture: Acme) => Promise<void>): Promise<void> {
  await withFixture(
    await createAcme({ firstTokenTtlSeconds: 3, rotateRefreshTokens: true }),
    async (fixture) => {
      await connectAcme(fixture);
      const { expires_at } = await fixture.json(['get', 'acme']);
      const pid = fixture.daemonPid() ?? 0;
      await fixture.authsome(['daemon', 'stop']);
      await gone(pid, 10_000);
      expect(granted(fixture.service, 'refresh_token')).toBe(0);
      await until(() => Date.now() > Date.parse(expires_at), 10_000);
      await work(fixture);
    },
  );
}

/** One refresh reached the server, and the grant with its one valid refresh token is in the vault. */
async function expectOneRefresh(fixture: Acme): Promise<void> {
  const { authorization } = fixture.service;
  expect(authorization.issued.map(({ grantType }) => grantType)).toEqual([
    'authorization_code',
    'refresh_token',
  ]);
  expect(authorization.refusals).toEqual([]);
  expect(authorization.revocations).toBe(0);
  const stored = await fixture.json(['get', 'acme', '--show-secret']);
  expect(stored).toMatchObject({
    status: 'connected',
    access_token: authorization.issued[1]?.accessToken,
    refresh_token: authorization.issued[1]?.refreshToken,
  });
  expect(stored.refresh_token).not.toBe(authorization.issued[0]?.refreshToken);
}

it('fifty commands at the moment of expiry cause one refresh, and all get what they came for', async () => {
  await expired(async (fixture) => {
    const outcomes = await Promise.all(
      crowd.map((index) =>
        fixture.authsome(
          index % 2 === 0
            ? ['run', '--quiet', '--', ...curl]
            : ['get', 'acme', '--field', 'access_token', '--show-secret'],
        ),
      ),
    );
    const token = fixture.service.authorization.issued[1]?.accessToken;
    expect(outcomes.map(({ code, stdout, stderr }) => [code, stdout, stderr])).toEqual(
      crowd.map((index) => [0, index % 2 === 0 ? '200\n' : `${token}\n`, '']),
    );
    expect(new Set(fixture.service.api.received.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${token}`]),
    );
    await expectOneRefresh(fixture);
  });
}, 120_000);

function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

it('fifty children of one run cause one refresh, though the response is slow', async () => {
  await expired(async (fixture) => {
    const held = holdTokenRequest(fixture.service, 'answered');
    const script = `for i in $(seq 50); do ${curl.map((word) => `'${word}'`).join(' ')} & done; wait`;
    const run = fixture.startAuthsome(['run', '--', 'sh', '-c', script]);
    await held.reached;
    // Each of them has a connection to the daemon's proxy by then.
    await until(() => socketsOf(fixture.daemonPid() ?? 0) > crowd.length, 30_000);
    expect(fixture.service.api.received).toEqual([]);
    held.release();
    const outcome = await run.ended;
    expect([outcome.code, outcome.stdout, outcome.stderr]).toEqual([
      ...[0, '200\n'.repeat(50), expect.stringMatching(overridesNote)],
    ]);
    await expectOneRefresh(fixture);
  });
}, 120_000);
