import type { Fetch, Reply, TokenEndpoint } from '../../oauth/index.ts';
import type { FlowName } from '../../providers/index.ts';
import type { Connection, ConnectionSecrets } from '../records/index.ts';

/** What a refresh is sent with. */
export interface RefreshInput {
  readonly endpoint: TokenEndpoint;
  readonly connection: Pick<Connection, 'scopes'>;
  readonly secrets: ConnectionSecrets;
  readonly scopeSeparator: string;
}

/** How the connections of a flow get their next tokens. */
export interface GrantRefresh {
  /** Whether the secrets of a connection are enough for it. */
  isPossible(secrets: ConnectionSecrets): boolean;
  /** The token endpoint's response. Rejects with EndpointUnreachable. */
  request(fetch: Fetch, input: RefreshInput): Promise<Reply>;
}

/** The refresh of a flow; `undefined` for a flow whose connections have none. */
export type RefreshOf = (flow: FlowName) => GrantRefresh | undefined;
