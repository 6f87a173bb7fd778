import { type CaptureEndpoint, definedHosts, type Provider } from '../../providers/index.ts';
import type { AnsweredGrant } from '../answers/index.ts';
import type { ConnectionsOptions } from '../contract.ts';
import { withGrant } from '../credentials/index.ts';
import { connectionKey } from '../names.ts';
import { bindingTo, type ConnectionStore, type NewConnection, writeConnection } from '../records/index.ts';

/** What it takes to store a grant. */
export interface GrantStore {
  readonly options: ConnectionsOptions;
  readonly connections: ConnectionStore;
}

/** The connection that a grant becomes. */
export interface GrantTarget {
  readonly provider: Provider;
  readonly connection: string;
  /** Where it is renewed. */
  readonly endpoint: CaptureEndpoint;
  /** Where it was got from, for the record. */
  readonly from: string;
}

/** A grant, and the program's client that it was made to. */
export interface GrantedTo {
  readonly grant: AnsweredGrant;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly account: string | undefined;
}

/**
 * Stores what a service has granted to a program as a connection, before the program gets an answer. One write under the lease of
 * the connection: of two programs that sign in at once, the later one's grant stays. Both hold the same phantoms, so both work.
 */
export async function storeGrant(
  { options, connections }: GrantStore,
  { provider, connection: name, endpoint, from }: GrantTarget,
  granted: GrantedTo,
): Promise<void> {
  const { grant, clientId, clientSecret, account } = granted;
  const { accessToken, refreshToken, template } = grant;
  const id = Buffer.from(options.randomBytes(12)).toString('hex');
  const connection: NewConnection = {
    provider: provider.name,
    name,
    authType: 'oauth2',
    flow: provider.flow,
    state: 'connected',
    scopes: grant.scopes,
    expiresAtMs: grant.expiresAtMs,
    obtainedAtMs: options.nowMs(),
    baseUrl: undefined,
    account,
    refreshable: refreshToken !== undefined,
    binding: bindingTo(clientId, {
      issuer: undefined,
      tokenUrl: endpoint.url,
      revocationUrl: provider.oauth?.revocationUrl,
      namedHost: undefined,
    }),
    approved: definedHosts(provider),
    signIn: `program-${id}`,
  };
  const secrets = {
    accessToken,
    answer: template,
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(clientSecret === undefined ? {} : { clientSecret }),
  };
  const isReplacement = await withGrant(options.vault, provider.name, name, async () => {
    for (;;) {
      const version = (await connections.find(provider.name, name))?.connection.version ?? 0;
      if ((await writeConnection(options.vault, connection, secrets, version)) !== undefined)
        return version > 0;
    }
  });
  await connections.offerDefault(provider.name, name);
  connections.changed({ connection: connectionKey(provider.name, name), kind: 'connected' });
  options.notify({
    event: 'sign_in.completed',
    provider: provider.name,
    connection: name,
    outcome: 'ok',
    detail: `${from}${isReplacement ? '; replaced the earlier one' : ''}`,
  });
}
