import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnections } from '../../connections.ts';
import {
  machineClient,
  startAuthorizationServer,
  type TestAuthorizationServer,
  testResource,
} from '../../testing/test-authorization-server.ts';
import { openFlowFixture } from '../../testing/test-sign-in.ts';

let server: TestAuthorizationServer;
beforeAll(async () => {
  server = await startAuthorizationServer();
});
afterAll(() => server.close());

describe('client credentials', () => {
  const machine = [
    { tokenEndpointAuthMethod: 'client_secret_post', scopes: ['read'], account: undefined },
    { flow: 'client_credentials' },
  ] as const;

  it('sign in without a person, and again when the token ends', async () => {
    const { options, clock } = openFlowFixture(server, [
      { ...machine[0], resource: testResource },
      machine[1],
    ]);
    const connections = createConnections(options);
    const session = await connections.signIns.start({ provider: 'acme', force: false, ...machineClient });
    expect(session).toMatchObject({ status: 'connected', flow: 'client_credentials' });
    const old = await connections.credentials.acquire('acme/default');
    clock.nowMs += 3_600_000;
    expect((await connections.credentials.acquire('acme/default')).secret).not.toBe(old.secret);
  });

  it('fail with the error of the server', async () => {
    const { options } = openFlowFixture(server, [...machine]);
    const connections = createConnections(options);
    const wrong = { ...machineClient, clientSecret: 'not-the-secret' };
    const session = await connections.signIns.start({ provider: 'acme', force: false, ...wrong });
    expect(session.failure).toMatchObject({ message: 'token exchange failed: invalid_client' });
  });
});
