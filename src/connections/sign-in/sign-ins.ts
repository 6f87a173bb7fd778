import { signInLine } from '../../command-line.ts';
import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { sameText, stateMismatch } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';
import { authMethodFor, parseClient, registeredClient } from '../clients/index.ts';
import type { AuthSession, ConnectionsOptions, SignInRequest, SignIns } from '../contract.ts';
import type { Endpoints } from '../discovery/index.ts';
import { discoveredProvider, findEndpoints, isServiceUrl, rediscoveredProvider } from '../discovery/index.ts';
import { connectionName, scopeName } from '../names.ts';
import type { ConnectionStore, NewSession, StoredSession } from '../records/index.ts';
import {
  createSessionStore,
  findClient,
  isClientInUse,
  isUsable,
  type KnownClient,
  setClientAside,
  storeClient,
} from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import { parseApiKey } from './api-key.ts';
import { authorizeStage, renewAddress } from './authorization-stage.ts';
import { chooseFlow } from './flow-choice.ts';
import { exchange, takeCallback } from './flows/authorization-code.ts';
import { signInMachine } from './flows/client-credentials.ts';
import { deviceStage, pollDevice } from './flows/device-code.ts';
import { redirectParams } from './pasted-redirect.ts';
import { doubtAfterSilence, settleSession } from './session-expiry.ts';
import { viewOf } from './session-view.ts';
import { completeWithKey, connectionExists } from './sign-in-completion.ts';
import {
  failSession,
  notifyFailure,
  providerOf,
  type SignInContext,
  troubleOf,
  withSession,
} from './sign-in-context.ts';

const sessionLifetimeMs = 10 * 60_000;
/** Nobody gets to a provider with an address that ends sooner. */
const shortestUseMs = 2_000;

export function createSignIns(options: ConnectionsOptions, connections: ConnectionStore): SignIns {
  const sessions = createSessionStore(options.vault, options.nowMs);
  const context: SignInContext = { options, sessions, connections };
  const polling = new Set<string>();

  const settle = (session: StoredSession): Promise<StoredSession> => settleSession(context, session);
  const view = (session: StoredSession): AuthSession => viewOf(session, options);

  const requireStage = async (id: string, stage: StoredSession['stage']): Promise<StoredSession> => {
    const session = await settle(await sessions.read(id));
    if (session.status === 'waiting' && session.stage === stage) return session;
    throw new AuthsomeError(
      session.status === 'expired' ? 'SignInExpired' : 'SignInFailed',
      session.status === 'waiting'
        ? 'this sign-in does not ask for that'
        : `this sign-in is over: ${session.status}`,
      { hint: `Start again with: ${sessionLine(options.catalog, session)}` },
    );
  };

  /** A callback that belongs to nobody: everybody who waits is told, and nobody is disturbed. */
  const refuseCallback = async (): Promise<never> => {
    const error = stateMismatch();
    const warned = await sessions.warnWaiting(troubleOf(error));
    for (const { provider, connection } of warned) {
      options.notify({ event: 'sign_in.state_mismatch', provider, connection, outcome: error.code });
    }
    if (warned.length === 0) options.notify({ event: 'sign_in.state_mismatch', outcome: error.code });
    throw error;
  };

  const begin = async (
    request: SignInRequest,
    provider: Provider,
    session: NewSession,
  ): Promise<StoredSession> => {
    if (session.flow === 'api_key') {
      const apiKey =
        request.apiKey === undefined
          ? undefined
          : parseApiKey(provider, request.apiKey, provider.apiKey?.envVar);
      const created = await sessions.create({ ...session, stage: 'secret' });
      return apiKey === undefined ? created : await completeWithKey(context, created, provider, apiKey);
    }
    const endpoints = await findEndpoints(options, provider, session.flow);
    if (request.clientId !== undefined) {
      const given = parseClient(provider, request.clientId, request.clientSecret ?? '');
      const authMethod = authMethodFor(endpoints, provider, given);
      const client = { ...given, authMethod, origin: 'environment' as const };
      // What was granted to the client that it takes the place of can still be refreshed, or taken back.
      const before = await findClient(options.vault, provider, endpoints);
      const isAnother = before !== undefined && before.clientId !== client.clientId;
      if (isAnother && (await isClientInUse(options.vault, provider, before.clientId)))
        await setClientAside(options.vault, provider);
      await storeClient(options.vault, provider, endpoints, client);
    }
    const client =
      session.flow === 'dcr_pkce'
        ? await registeredClient(options, provider, endpoints, session)
        : await findClient(options.vault, provider, endpoints);
    const withEndpoints = { ...session, endpoints };
    if (client === undefined) return await sessions.create({ ...withEndpoints, stage: 'client' });
    const stage = await nextStage(withEndpoints, endpoints, provider, client);
    return await carryOn(await sessions.create({ ...withEndpoints, ...stage }));
  };

  /** What changes once the client is known. */
  const nextStage = async (
    session: NewSession,
    endpoints: Endpoints,
    provider: Provider,
    client: KnownClient,
  ): Promise<Partial<NewSession>> => {
    switch (session.flow) {
      case 'device_code':
        return await deviceStage(context, session, endpoints, provider, client);
      case 'client_credentials':
        return { stage: 'machine', clientId: client.clientId };
      default:
        return await authorizeStage(context, { ...session, endpoints }, provider, client);
    }
  };

  /** Sets off what goes on without a person; it ends in the session, so that nobody has to wait for it. */
  const carryOn = async (session: StoredSession): Promise<StoredSession> => {
    if (session.status !== 'waiting') return session;
    if (session.stage === 'machine') return await signInMachine(context, session.id);
    // Should the vault fail meanwhile, the session stays for the next start of the daemon.
    if (session.stage === 'exchange') exchange(context, session.id).catch(() => undefined);
    if (session.stage === 'device') poll(session.id).catch(() => undefined);
    return session;
  };

  /** Twice as many polls would be told to slow down. */
  const poll = async (id: string): Promise<void> => {
    if (polling.has(id)) return;
    polling.add(id);
    try {
      await pollDevice(context, id);
    } finally {
      polling.delete(id);
    }
  };

  /** The provider behind a name or a URL. What fails while it is discovered has no session yet that could tell. */
  const find = async ({ provider: wanted, baseUrl }: SignInRequest): Promise<Provider> => {
    const known = isServiceUrl(wanted) ? undefined : options.catalog.resolve(wanted, baseUrl);
    try {
      return known === undefined
        ? await discoveredProvider(options, wanted)
        : await rediscoveredProvider(options, known);
    } catch (error) {
      const { code: outcome } = asAuthsomeError(error);
      const event = { event: 'sign_in.failed', outcome, detail: 'discovery' } as const;
      options.notify(known === undefined ? event : { ...event, provider: known.name });
      throw error;
    }
  };

  return {
    async start(request) {
      const connection = connectionName(request.connection ?? 'default');
      const provider = await find(request);
      if (provider.needsBaseUrl) {
        const line = signInLine({ ...request, provider: provider.name });
        throw new AuthsomeError('Usage', `${provider.name} needs to know which server it is on`, {
          hint: `Run: ${line} --base-url https://<host>`,
        });
      }
      const flow = chooseFlow(provider, request);
      const createdAtMs = options.nowMs();
      const session: NewSession = {
        id: `ses_${Buffer.from(options.randomBytes(16)).toString('base64url')}`,
        provider: provider.name,
        displayName: provider.displayName,
        connection,
        flow,
        baseUrl: request.baseUrl === undefined ? undefined : provider.baseUrl,
        force: request.force,
        requestedScopes: request.scopes?.map(scopeName) ?? provider.oauth?.scopes ?? [],
        stage: 'authorize',
        status: 'waiting',
        createdAtMs,
        expiresAtMs: createdAtMs + sessionLifetimeMs,
        warnings: [],
        secrets: {},
      };
      const existing = await connections.find(provider.name, connection);
      if (existing !== undefined && !request.force && isUsable(existing.connection, options.nowMs())) {
        throw connectionExists(options.catalog, session);
      }
      await sessions.forgetEnded();
      options.notify({ event: 'sign_in.started', provider: provider.name, connection, outcome: 'ok' });
      try {
        return view(await begin(request, provider, session));
      } catch (error) {
        notifyFailure(context, session, asAuthsomeError(error));
        throw error;
      }
    },

    async read(id) {
      const session = await settle(await sessions.read(id));
      const leftMs = (session.addressExpiresAtMs ?? Number.POSITIVE_INFINITY) - options.nowMs();
      if (leftMs > shortestUseMs) return view(session);
      // A person may be on the provider's page already: that there is no other address now ends nothing.
      return view(await renewAddress(context, session).catch(() => session));
    },

    async renewAddress(id) {
      return view(await renewAddress(context, await settle(await sessions.read(id))));
    },

    async readLastUnfinished() {
      const session = await sessions.lastUnfinished();
      if (session === undefined) {
        throw new AuthsomeError('SessionNotFound', 'there is no sign-in that was left unfinished');
      }
      return view(await settle(session));
    },

    async waitForChange(id, seen, timeoutMs) {
      return view(await settle(await sessions.changed(id, seen, timeoutMs)));
    },

    async submitClient(id, entered) {
      const session = await requireStage(id, 'client');
      const provider = providerOf(context, session);
      const given = parseClient(provider, entered.clientId, entered.clientSecret);
      const endpoints = session.endpoints ?? (await findEndpoints(options, provider, session.flow));
      const authMethod = authMethodFor(endpoints, provider, given);
      const client = { ...given, authMethod, origin: 'person' as const };
      await storeClient(options.vault, provider, endpoints, client);
      try {
        const stage = await nextStage(session, endpoints, provider, client);
        const next = await sessions.update(id, (current) =>
          current.status === 'waiting' && current.stage === 'client' ? stage : undefined,
        );
        return view(await carryOn(next));
      } catch (error) {
        return view(await failSession(context, id, asAuthsomeError(error)));
      }
    },

    async submitSecret(id, apiKey) {
      const session = await requireStage(id, 'secret');
      const provider = providerOf(context, session);
      const key = parseApiKey(provider, apiKey);
      try {
        return view(await completeWithKey(context, session, provider, key));
      } catch (error) {
        return view(await failSession(context, id, asAuthsomeError(error)));
      }
    },

    async callback(params) {
      const states = params.getAll('state');
      const [state] = states;
      const known = state === undefined || states.length > 1 ? undefined : await sessions.findByState(state);
      const found = known === undefined ? undefined : await settle(known);
      if (found?.status === 'expired') return view(found);
      const taken = found === undefined ? undefined : await takeCallback(context, found, params);
      return taken === undefined ? await refuseCallback() : view(taken);
    },

    async callbackFromPaste(id, pasted) {
      const session = await requireStage(id, 'authorize');
      const params = redirectParams(pasted, options.redirectUri);
      const matches = sameText(params.get('state') ?? '', session.secrets.state ?? '');
      const taken = matches ? await takeCallback(context, session, params) : undefined;
      return taken === undefined ? await refuseCallback() : view(taken);
    },

    async cancel(id) {
      // After an answer that is under way: what the provider has granted by then is kept and told.
      return await withSession(context, id, async () => {
        const before = await settle(await sessions.read(id));
        let ended = false;
        const session = await sessions.update(id, ({ status }) => {
          ended = status === 'waiting';
          return ended
            ? { status: 'cancelled', stage: 'over', secrets: {}, stateHash: undefined }
            : undefined;
        });
        if (ended) {
          notifyFailure(context, session, new AuthsomeError('Cancelled', 'the sign-in was cancelled'));
          await doubtAfterSilence(context, before);
        }
        return view(session);
      });
    },

    async resume() {
      await sessions.forgetEnded();
      for (const session of await sessions.waiting()) {
        const settled = await settle(session);
        // Beside the start of the daemon; should the vault fail, the session stays for the next one.
        carryOn(settled).catch(() => undefined);
      }
    },
  };
}
