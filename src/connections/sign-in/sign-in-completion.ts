import { AuthsomeError } from '../../errors.ts';
import type { TokenSet } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import type { ProviderCatalog } from '../contract.ts';
import { connectionKey } from '../names.ts';
import type { NewSession, OpenConnection, StoredSession } from '../records/index.ts';
import {
  type Connection,
  type ConnectionSecrets,
  isUsable,
  type NewConnection,
  secretsOf,
  type TokenBinding,
  writeConnection,
} from '../records/index.ts';
import { takeBackReplaced } from '../revocation/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import { accountLabel } from './account-label.ts';
import type { SignInContext } from './sign-in-context.ts';

/** Stores an API key as the session's connection and ends the session. */
export async function completeWithKey(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  apiKey: string,
): Promise<StoredSession> {
  const connection = newConnection(context, session, provider, { scopes: [], expiresAtMs: undefined });
  const found = await context.connections.find(session.provider, session.connection);
  const { replaced } = await store(context, session, connection, { apiKey }, found);
  const ended = await finish(context, session, connection);
  takeBackReplaced(context, replaced, connection);
  return ended;
}

/**
 * Stores tokens as the session's connection before anything uses them, looks up the account, ends the session.
 * `found` was read before the tokens were asked for: nothing stands between their arrival and the write.
 */
export async function completeWithTokens(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  tokens: TokenSet,
  binding: TokenBinding,
  found: OpenConnection | undefined,
): Promise<StoredSession> {
  const secrets = secretsOf(tokens);
  const connection: NewConnection = {
    ...newConnection(context, session, provider, tokens),
    refreshable: secrets.refreshToken !== undefined || session.flow === 'client_credentials',
    binding,
  };
  const { version, replaced } = await store(context, session, connection, secrets, found);
  const account = await accountLabel(
    context.options.fetchFor({ publicOnly: false }),
    provider,
    tokens.accessToken,
  );
  const labelled = { ...connection, account };
  if (account !== undefined) await writeConnection(context.options.vault, labelled, secrets, version);
  const ended = await finish(context, session, labelled);
  takeBackReplaced(context, replaced, labelled);
  return ended;
}

/** Ends the session whose connection is stored already (the daemon stopped in between). */
export async function finish(
  context: SignInContext,
  session: StoredSession,
  connection: NewConnection | Connection,
): Promise<StoredSession> {
  await context.connections.offerDefault(session.provider, session.connection);
  context.connections.changed({
    connection: connectionKey(session.provider, session.connection),
    kind: 'connected',
  });
  const { scopes, expiresAtMs, account, refreshable } = connection;
  context.options.notify({
    event: 'sign_in.completed',
    provider: session.provider,
    connection: session.connection,
    outcome: 'ok',
    detail: `flow ${session.flow}`,
  });
  return await context.sessions.update(session.id, () => ({
    status: 'connected',
    stage: 'over',
    granted: { scopes, expiresAtMs, account, refreshable },
    secrets: {},
    stateHash: undefined,
  }));
}

function newConnection(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  granted: Pick<TokenSet, 'scopes' | 'expiresAtMs'>,
): NewConnection {
  return {
    provider: session.provider,
    name: session.connection,
    authType: session.flow === 'api_key' ? 'api_key' : provider.authType,
    flow: session.flow,
    state: 'connected',
    scopes: granted.scopes,
    expiresAtMs: granted.expiresAtMs,
    obtainedAtMs: context.options.nowMs(),
    baseUrl: session.baseUrl,
    account: undefined,
    refreshable: false,
    binding: undefined,
    signIn: session.id,
  };
}

/**
 * Returns the version written, and what was there before. ConnectionExists when another sign-in was quicker and this
 * one may not replace.
 */
async function store(
  context: SignInContext,
  session: StoredSession,
  connection: NewConnection,
  secrets: ConnectionSecrets,
  found: OpenConnection | undefined,
): Promise<{ readonly version: number; readonly replaced: OpenConnection | undefined }> {
  let existing = found;
  for (;;) {
    if (existing !== undefined && !session.force && isUsable(existing.connection, context.options.nowMs())) {
      throw connectionExists(context.options.catalog, session);
    }
    const expected = existing?.connection.version ?? 0;
    const written = await writeConnection(context.options.vault, connection, secrets, expected);
    if (written !== undefined) return { version: written.version, replaced: existing };
    existing = await context.connections.find(session.provider, session.connection);
  }
}

export function connectionExists(catalog: ProviderCatalog, session: NewSession): AuthsomeError {
  const { provider, connection } = session;
  return new AuthsomeError('ConnectionExists', `${provider} is connected already as "${connection}"`, {
    hint: `Replace it with: ${sessionLine(catalog, session)} — or sign in beside it with --connection <name>`,
  });
}
