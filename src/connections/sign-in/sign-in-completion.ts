import { AuthsomeError } from '../../errors.ts';
import { type ApprovedHosts, definedHosts, isOwnUrl, type Provider } from '../../providers/index.ts';
import type { ProviderCatalog } from '../contract.ts';
import { fetchOf } from '../discovery/index.ts';
import { connectionKey } from '../names.ts';
import type { NewSession, OpenConnection, StoredSession } from '../records/index.ts';
import {
  type Connection,
  type ConnectionSecrets,
  isUsable,
  type NewConnection,
  type TokenBinding,
  writeConnection,
} from '../records/index.ts';
import { revokeReplaced } from '../revocation/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import { accountLabel } from './account-label.ts';
import type { SignInContext } from './sign-in-context.ts';

/** What a sign-in has obtained: the secrets, and what is known of them. */
export interface Grant {
  readonly secrets: ConnectionSecrets;
  readonly scopes: readonly string[];
  readonly expiresAtMs: number | undefined;
  readonly authType: Provider['authType'];
  readonly refreshable: boolean;
  /** `undefined` of a secret that no endpoint gave. */
  readonly binding: TokenBinding | undefined;
}

interface Completion {
  readonly session: StoredSession;
  readonly provider: Provider;
  readonly grant: Grant;
  /** The connection as it was before the grant was asked for: nothing stands between its arrival and the write. */
  readonly found: OpenConnection | undefined;
  /** What was odd about the response that brought it. */
  readonly remark?: string | undefined;
}

/** Stores a grant as the session's connection before anything uses it, looks up the account, ends the session. */
export async function complete(
  context: SignInContext,
  { session, provider, grant, found, remark }: Completion,
): Promise<StoredSession> {
  const { options } = context;
  const { secrets, ...granted } = grant;
  const approved = session.approved ?? definedHosts(provider);
  const connection: NewConnection = {
    ...granted,
    provider: session.provider,
    name: session.connection,
    flow: session.flow,
    state: 'connected',
    obtainedAtMs: options.nowMs(),
    baseUrl: session.baseUrl,
    account: undefined,
    approved,
    signIn: session.id,
  };
  const { version, replaced } = await store(context, session, { connection, secrets }, found);
  const account = await accountOf(context, { session, provider, secrets, approved });
  const labeled = { ...connection, account };
  if (account !== undefined) await writeConnection(options.vault, labeled, secrets, version);
  const ended = await finish(context, session, labeled, remark);
  revokeReplaced(context, replaced, labeled);
  return ended;
}

/** Whose account it is. Not asked at an address that another definition has brought during the sign-in, at another owner. */
async function accountOf(
  { options }: SignInContext,
  {
    session,
    provider,
    secrets,
    approved,
  }: Pick<Completion, 'session' | 'provider'> & {
    readonly secrets: ConnectionSecrets;
    readonly approved: ApprovedHosts;
  },
): Promise<string | undefined> {
  const url = provider.oauth?.account?.url;
  if (url === undefined || secrets.accessToken === undefined) return undefined;
  const { issuer, tokenUrl } = session.endpoints ?? {};
  if (!isOwnUrl(url, approved, [issuer, tokenUrl])) return undefined;
  return await accountLabel(fetchOf(options, provider), provider, secrets.accessToken);
}

/** Stores an API key as the session's connection and ends the session. */
export async function completeWithSecret(
  context: SignInContext,
  session: StoredSession,
  provider: Provider,
  apiKey: string,
): Promise<StoredSession> {
  const grant: Grant = {
    secrets: { apiKey },
    scopes: [],
    expiresAtMs: undefined,
    authType: 'api_key',
    refreshable: false,
    binding: undefined,
  };
  const found = await context.connections.find(session.provider, session.connection);
  return await complete(context, { session, provider, grant, found });
}

/** Ends the session whose connection is stored already (the daemon stopped in between). */
export async function finish(
  context: SignInContext,
  session: StoredSession,
  connection: NewConnection | Connection,
  remark?: string,
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
    detail: `flow ${session.flow}${remark === undefined ? '' : `; ${remark}`}`,
  });
  return await context.sessions.update(session.id, () => ({
    status: 'connected',
    stage: 'over',
    granted: { scopes, expiresAtMs, account, refreshable },
    secrets: {},
    stateHash: undefined,
  }));
}

/**
 * Returns the version written, and what was there before. ConnectionExists when another sign-in was quicker and this
 * one may not replace.
 */
async function store(
  context: SignInContext,
  session: StoredSession,
  { connection, secrets }: { readonly connection: NewConnection; readonly secrets: ConnectionSecrets },
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
  return new AuthsomeError('ConnectionExists', `${provider} is already connected as "${connection}"`, {
    hint: `Replace it with: ${sessionLine(catalog, session)} — or add another with --connection <name>`,
  });
}
