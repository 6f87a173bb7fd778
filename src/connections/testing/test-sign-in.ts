/** Sign-ins at the authorization server of the tests. Not used by the product. */
import type { Connections } from '../connections.ts';
import type { AuthSession } from '../contract.ts';
import { type TestAuthorizationServer, testClient, testRedirectUri } from './test-authorization-server.ts';
import { type Fixture, keyProvider, oauthProvider, openFixture } from './test-fixture.ts';

/** The connection that `signIn` makes. */
export const acmeKey = 'acme/default';

/** A fixture with the provider `acme`, which is this server, and `keys`. */
export function openServerFixture(
  server: TestAuthorizationServer,
  overrides: Parameters<typeof openFixture>[1] = {},
): Fixture {
  return openFixture([oauthProvider(server.oauth), keyProvider()], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    ...overrides,
  });
}

/** A fixture with `acme` alone, as changed by `provider`. `pauses` gets the waits between polls, which last no time. */
export function openFlowFixture(
  server: TestAuthorizationServer,
  provider: Parameters<typeof oauthProvider>,
  overrides: Parameters<typeof openFixture>[1] = {},
): Fixture & { readonly pauses: readonly number[] } {
  const pauses: number[] = [];
  const fixture = openFixture([oauthProvider({ ...server.oauth, ...provider[0] }, provider[1])], {
    fetchFor: () => fetch,
    redirectUri: testRedirectUri,
    pause: async (ms) => {
      pauses.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
    ...overrides,
  });
  return { ...fixture, pauses };
}

/** Signs in to `acme` as a browser would. */
export async function signIn(
  server: TestAuthorizationServer,
  connections: Connections,
  connection = 'default',
  force = false,
): Promise<void> {
  const asked = await connections.signIns.start({ provider: 'acme', connection, force });
  const { providerUrl } =
    asked.asksFor === 'client' ? await connections.signIns.submitClient(asked.id, testClient) : asked;
  const landed = await server.approve(providerUrl ?? '');
  const { status } = await connections.signIns.callback(landed);
  if (status !== 'connected') throw new Error(`the sign-in ended as ${status}`);
}

/** The session once it waits no longer. */
export async function ended(connections: Connections, id: string): Promise<AuthSession> {
  let session = await connections.signIns.read(id);
  while (session.status === 'waiting') {
    session = await connections.signIns.waitForChange(id, session.revision, 5_000);
  }
  return session;
}

/** Token requests that reached the server while `work` ran. */
export async function tokenRequests(
  server: TestAuthorizationServer,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const before = server.requests.length;
  await work();
  return server.requests.slice(before).flatMap(({ path, status }) => (path === '/token' ? [status] : []));
}

/** How the first connection at acme stands. */
export async function statusOf(connections: Connections): Promise<string | undefined> {
  return (await connections.summaries('acme'))[0]?.status;
}
