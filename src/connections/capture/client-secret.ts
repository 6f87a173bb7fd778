import type { CredentialCache } from '../credentials/index.ts';
import { splitConnectionKey } from '../names.ts';
import { writeConnection } from '../records/index.ts';
import type { GrantStore } from './captured-grant.ts';
import type { TokenParameters } from './token-parameters.ts';

interface Context extends GrantStore {
  readonly cache: CredentialCache;
}

/**
 * Refreshes with the secret of the program's client, where its request has one that is not stored yet: a sign-in that was
 * taken over from a file comes without. It is kept only if the service has taken it: another one would keep all programs from
 * refreshing.
 */
export async function withClientSecret(
  context: Context,
  key: string,
  params: TokenParameters,
  refresh: () => Promise<unknown>,
): Promise<void> {
  const { provider, connection: name } = splitConnectionKey(key);
  const { connection, secrets } = await context.connections.open(provider, name);
  const clientSecret = params.get('client_secret') || undefined;
  const isOfClient = params.get('client_id') === connection.binding?.clientId;
  if (clientSecret === undefined || secrets.clientSecret !== undefined || !isOfClient) {
    await refresh();
    return;
  }
  const version = await setSecret(context, key, clientSecret);
  try {
    await refresh();
  } finally {
    const now = await context.connections.find(provider, name);
    if (now?.connection.version === version) await setSecret(context, key, undefined);
  }
}

/** The version of the connection that has it. */
async function setSecret(
  { options, connections, cache }: Context,
  key: string,
  clientSecret: string | undefined,
): Promise<number> {
  const { provider, connection: name } = splitConnectionKey(key);
  for (;;) {
    const { connection, secrets } = await connections.open(provider, name);
    const { clientSecret: _, ...others } = secrets;
    const next = clientSecret === undefined ? others : { ...others, clientSecret };
    const written = await writeConnection(options.vault, connection, next, connection.version);
    if (written === undefined) continue;
    cache.drop(key);
    return written.version;
  }
}
