import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnections } from '../../connections.ts';
import {
  deviceClient,
  startAuthorizationServer,
  type TestAuthorizationServer,
} from '../../testing/test-authorization-server.ts';
import { ended, openFlowFixture } from '../../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

describe('the device flow', () => {
  const device = [{ supportsDeviceCode: true }, { flow: 'device_code' }] as const;

  it('shows the code, polls until it is entered, and refreshes like any other', async () => {
    const { options, clock, pauses } = openFlowFixture(server, [...device]);
    const connections = createConnections(options);
    const asked = await connections.signIns.start({ provider: 'acme', force: false });
    expect(asked.asksFor).toBe('client');
    const session = await connections.signIns.submitClient(asked.id, deviceClient);
    expect(session).toMatchObject({
      status: 'waiting',
      asksFor: undefined,
      userCode: expect.stringMatching(/^\S{4,}$/),
      verificationUri: `${server.issuer}/device`,
      providerUrl: expect.stringContaining(`${server.issuer}/device?user_code=`),
    });
    await server.approveDevice(session.providerUrl ?? '');
    expect(await ended(connections, session.id)).toMatchObject({ status: 'connected' });
    expect(new Set(pauses)).toEqual(new Set([5_000]));
    const old = await connections.credentials.acquire('acme/default');
    clock.nowMs += 3_600_000;
    const fresh = await connections.credentials.acquire('acme/default');
    expect(fresh.secret).not.toBe(old.secret);
    expect(await server.accepts(fresh.secret)).toBe(true);
  });

  it('continues after a restart of the daemon', async () => {
    const { options } = openFlowFixture(server, [...device]);
    const died = createConnections({ ...options, pause: () => new Promise(() => undefined) });
    const { id } = await died.signIns.start({ provider: 'acme', force: false });
    const { providerUrl } = await died.signIns.submitClient(id, deviceClient);
    await server.approveDevice(providerUrl ?? '');
    const restarted = createConnections(options);
    await restarted.signIns.resume();
    expect(await ended(restarted, id)).toMatchObject({ status: 'connected' });
  });

  const authorization = {
    device_code: 'the-device-code-0123456789',
    user_code: 'WDJB-MJHT',
    verification_uri: 'https://id.example/device',
    expires_in: 900,
    interval: 5,
  };

  /** A device flow against these replies to the polls. */
  async function polled(...replies: (() => Response)[]) {
    const left = [() => Response.json(authorization), ...replies];
    const bodies: string[] = [];
    const { options, events, pauses } = openFlowFixture(
      server,
      [
        { deviceTokenRequest: 'form', ...device[0] },
        { ...device[1], client: { clientId: 'public', clientIdEnv: undefined, clientSecretEnv: undefined } },
      ],
      {
        fetchFor: () => async (_, init) => {
          bodies.push(String(init?.body));
          const next = left.shift();
          if (next === undefined) throw new Error('asked too often');
          return next();
        },
      },
    );
    const connections = createConnections(options);
    const { id } = await connections.signIns.start({ provider: 'acme', force: false });
    const session = await ended(connections, id);
    return { session, events, bodies, left, pauses };
  }

  const pending = () => Response.json({ error: 'authorization_pending' }, { status: 400 });

  it('adds five seconds for good when asked to slow down, and backs off without a response', async () => {
    const { session, left, pauses } = await polled(
      pending,
      () => Response.json({ error: 'slow_down' }),
      pending,
      () => new Response('<html>', { status: 502 }),
      () => {
        throw new TypeError('fetch failed');
      },
      () => Response.json({ access_token: 'the-token' }),
    );
    expect(session.status).toBe('connected');
    expect(left).toEqual([]);
    expect(pauses).toEqual([5_000, 5_000, 10_000, 10_000, 20_000, 40_000]);
  });

  it('survives errors that pass, and waits as long as the server wants', async () => {
    const refused =
      (error: string, status: number, headers = {}) =>
      () =>
        Response.json({ error }, { status, headers });
    const { session, left, pauses } = await polled(
      refused('temporarily_unavailable', 503),
      refused('temporarily_unavailable', 429),
      refused('server_error', 500),
      refused('too_many_requests', 429, { 'retry-after': '90' }),
      refused('authorization_pending', 400),
      () => new Response('', { status: 429, headers: { 'retry-after': '120' } }),
      () => Response.json({ access_token: 'the-token' }),
    );
    expect(session.status).toBe('connected');
    expect(left).toEqual([]);
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 90_000, 60_000, 120_000]);
  });

  it.each([301, 302, 307, 308])(
    'stops on a redirect (%i), which no later poll could do without',
    async (status) => {
      const elsewhere = { headers: { location: 'https://evil.example/?the-device-code' }, status };
      const { session, bodies } = await polled(pending, () => new Response(null, elsewhere));
      expect(session).toMatchObject({
        status: 'failed',
        failure: {
          error: 'TokenExchangeFailed',
          message: `token exchange failed: the token endpoint responded with a redirect (status ${status}), which is never followed`,
          hint: 'Check the token URL with: authsome inspect acme',
        },
      });
      // One for the code, two polls, and nothing after them.
      expect(bodies).toHaveLength(3);
      expect(JSON.stringify(session)).not.toContain('evil');
    },
  );

  it.each([
    ['access_denied', 'SignInFailed'],
    ['expired_token', 'SignInExpired'],
    ['invalid_client', 'TokenExchangeFailed'],
  ])('stops on %s', async (error, code) => {
    const { session, events } = await polled(pending, () =>
      Response.json({ error, error_description: 'about the-device-code-0123456789' }, { status: 400 }),
    );
    expect(session).toMatchObject({ status: 'failed', failure: { error: code } });
    expect(JSON.stringify([session, events])).not.toContain('the-device-code');
  });
});
