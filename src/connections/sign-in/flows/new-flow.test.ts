import { describe, expect, it } from 'vitest';
import type { FlowName, Provider } from '../../../providers/index.ts';
import { createConnections } from '../../connections.ts';
import { oauthProvider, openFixture } from '../../testing/test-fixture.ts';
import type { FlowTable, OauthFlow } from './flow.ts';
import { allFlows, refreshOf } from './flows.ts';

const voucher = 'voucher' as FlowName;
const key = 'acme/default';

/** A flow that no other file knows: a person at another device is asked for a yes, and each refresh is a new voucher. */
const voucherFlow: OauthFlow = {
  kind: 'oauth',
  endpointsNeeded: ['tokenUrl'],
  registersClient: false,
  obstacle: ({ oauth }) => (oauth === undefined ? 'it takes no vouchers' : undefined),
  begin: async ({ client }) => ({
    stage: 'device',
    clientId: client.clientId,
    secrets: { userCode: 'YES-PLEASE' },
  }),
  resumesAt: 'device',
  pauseMs: () => 1,
  resume: async ({ session, options, endpoints }) => {
    const response = await options.fetchFor({ publicOnly: false })(endpoints.tokenUrl);
    if (response.status === 202) return { kind: 'unfinished', change: () => ({ intervalMs: 2 }) };
    const { access_token: accessToken } = (await response.json()) as { access_token: string };
    const expiresAtMs = options.nowMs() + 3_600_000;
    const { requestedScopes: scopes } = session;
    return { kind: 'tokens', tokens: { accessToken, refreshToken: undefined, expiresAtMs, scopes } };
  },
  refresh: {
    isPossible: () => true,
    async request(fetch, { endpoint }) {
      const response = await fetch(endpoint.tokenUrl);
      return { status: response.status, contentType: 'application/json', body: await response.text() };
    },
  },
  view: ({ secrets: { userCode } }) => ({ userCode, providerUrl: 'https://id.example/voucher' }),
};

const flows: FlowTable = { ...allFlows, [voucher]: voucherFlow };

function vouchers(provider: Partial<Provider> = {}) {
  const client = { clientId: 'shipped', clientIdEnv: undefined, clientSecretEnv: undefined };
  const responses = [
    () => new Response(null, { status: 202 }),
    () => Response.json({ access_token: 'the-first-voucher', token_type: 'bearer' }),
    () => Response.json({ access_token: 'the-second-voucher', token_type: 'bearer', expires_in: 3600 }),
  ];
  const { options, clock, events } = openFixture(
    [oauthProvider({}, { client, flow: voucher, ...provider })],
    {
      fetchFor: () => async () => responses.shift()?.() ?? Response.error(),
      pause: async () => undefined,
    },
  );
  return { connections: createConnections(options, flows), responses, clock, events };
}

describe('a flow that is added to the table', () => {
  it('signs in, shows what its view says, and refreshes its own way', async () => {
    const { connections, responses, clock, events } = vouchers();
    const started = await connections.signIns.start({ provider: 'acme', force: false });
    expect(started).toMatchObject({ flow: 'voucher', status: 'waiting', userCode: 'YES-PLEASE' });
    expect(started).toMatchObject({ providerUrl: 'https://id.example/voucher', verificationUri: undefined });
    let session = started;
    while (session.status === 'waiting')
      session = await connections.signIns.waitForChange(session.id, session.revision, 60_000);
    expect(session).toMatchObject({ status: 'connected', granted: { refreshable: true } });
    expect(await connections.credentials.acquire(key)).toMatchObject({ secret: 'the-first-voucher' });

    clock.nowMs += 3_600_000;
    expect(await connections.credentials.acquire(key)).toMatchObject({ secret: 'the-second-voucher' });
    expect(responses).toEqual([]);
    expect(events.map(({ event }) => event)).toEqual([
      'sign_in.started',
      'sign_in.completed',
      'token.refreshed',
    ]);
  });

  it('can be chosen by name, and says why a provider does not take it', async () => {
    const { connections } = vouchers({ flow: 'api_key', authType: 'api_key', oauth: undefined });
    const { signIns } = connections;
    await expect(signIns.start({ provider: 'acme', flow: voucher, force: false })).rejects.toMatchObject({
      code: 'OperationNotAllowed',
      message: 'acme cannot sign in with voucher: it takes no vouchers',
    });
    await expect(signIns.start({ provider: 'acme', flow: 'coupon', force: false })).rejects.toMatchObject({
      code: 'Usage',
      hint: expect.stringContaining('client_credentials, voucher'),
    });
  });
});

describe('whether a connection can be refreshed', () => {
  it.each(['pkce', 'dcr_pkce', 'device_code'] as const)('depends on a refresh token after %s', (name) => {
    const refresh = refreshOf(allFlows)(name);
    expect(refresh?.isPossible({ accessToken: 'a', refreshToken: 'r' })).toBe(true);
    expect(refresh?.isPossible({ accessToken: 'a' })).toBe(false);
  });

  it('does not depend on one after client_credentials, and never is so with an API key', () => {
    expect(refreshOf(allFlows)('client_credentials')?.isPossible({ accessToken: 'a' })).toBe(true);
    expect(refreshOf(allFlows)('api_key')).toBe(undefined);
  });
});
