import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import { authMethodFor, parseClient } from '../clients/index.ts';
import type {
  AuthSession,
  Browser,
  ConnectionsOptions,
  Opening,
  SignInRequest,
  SignIns,
} from '../contract.ts';
import { findEndpoints } from '../discovery/index.ts';
import {
  type ConnectionStore,
  createSessionStore,
  type StoredSession,
  sessionNotFound,
  storeClient,
} from '../records/index.ts';
import { sessionLine } from '../sign-in-command.ts';
import { renewAddress } from './address-renewal.ts';
import { beginSignIn } from './begin.ts';
import { findByCallback, takeCallback, takePastedCallback } from './callback.ts';
import type { FlowTable } from './flows/index.ts';
import { knownCookie } from './known-browser.ts';
import { resumeSession } from './resume.ts';
import { doubtAfterSilence, settleSession } from './session-expiry.ts';
import { viewOf } from './session-view.ts';
import { completeWithSecret } from './sign-in-completion.ts';
import {
  failSession,
  flowOf,
  notifyFailure,
  providerOf,
  type SignInContext,
  withSession,
} from './sign-in-context.ts';
import { useTicket } from './ticket.ts';

/** A browser does not reach a provider with an address that ends sooner. */
const shortestUseMs = 2_000;

export function createSignIns(
  options: ConnectionsOptions,
  connections: ConnectionStore,
  flows: FlowTable,
): SignIns {
  const sessions = createSessionStore(options.vault, options.nowMs);
  return new SessionSignIns({ options, sessions, connections, flows, polling: new Set() });
}

/** Sign-ins whose sessions are in the vault, so that they survive the daemon. */
class SessionSignIns implements SignIns {
  readonly #context: SignInContext;

  constructor(context: SignInContext) {
    this.#context = context;
  }

  async start(request: SignInRequest): Promise<AuthSession> {
    return this.#view(await beginSignIn(this.#context, request));
  }

  async read(id: string): Promise<AuthSession> {
    const session = await this.#current(id);
    const leftMs = (session.addressExpiresAtMs ?? Number.POSITIVE_INFINITY) - this.#context.options.nowMs();
    if (leftMs > shortestUseMs) return this.#view(session);
    // A person may be on the provider's page already: that there is no other address now ends nothing.
    return this.#view(await renewAddress(this.#context, session).catch(() => session));
  }

  async readIn(browser: Browser, id: string): ReturnType<SignIns['readIn']> {
    const cookie = knownCookie(await this.#context.sessions.read(id), browser);
    if (cookie === undefined) throw sessionNotFound();
    return { session: await this.read(id), cookie };
  }

  async open(browser: Browser, id: string, ticket: string): Promise<Opening> {
    const { isAdmitted, session } = await useTicket(this.#context, browser, id, ticket);
    return { isAdmitted, session: isAdmitted ? await this.read(id) : this.#view(session) };
  }

  async usedElsewhere(): ReturnType<SignIns['usedElsewhere']> {
    return await this.#context.sessions.connectedWith('OpenedElsewhere');
  }

  async renewAddress(id: string): Promise<AuthSession> {
    return this.#view(await renewAddress(this.#context, await this.#current(id)));
  }

  async readLastUnfinished(): Promise<AuthSession> {
    const session = await this.#context.sessions.lastUnfinished();
    if (session === undefined) {
      throw new AuthsomeError('SessionNotFound', 'there is no unfinished sign-in');
    }
    return this.#view(await settleSession(this.#context, session));
  }

  async waitForChange(id: string, seen: number, timeoutMs: number): Promise<AuthSession> {
    const session = await this.#context.sessions.changed(id, seen, timeoutMs);
    return this.#view(await settleSession(this.#context, session));
  }

  async submitClient(
    id: string,
    entered: { readonly clientId: string; readonly clientSecret: string },
  ): Promise<AuthSession> {
    // A second browser ends the sign-in before the client is stored or after, not in between.
    const next = await withSession(this.#context, id, () => this.#takeClient(id, entered));
    return this.#view(await resumeSession(this.#context, next));
  }

  async submitSecret(id: string, entered: string): Promise<AuthSession> {
    const session = await this.#requireStage(id, 'secret');
    const flow = flowOf(this.#context, session);
    if (flow.kind !== 'secret') throw new TypeError('a secret for a sign-in that takes none');
    const provider = providerOf(this.#context, session);
    const { isPhantom } = this.#context.options;
    const secret = flow.readSecret(provider, entered, { isPhantom });
    try {
      // A second browser ends the sign-in before the secret is stored or after, not in between.
      return await withSession(this.#context, id, async () => {
        const current = await this.#requireStage(id, 'secret');
        return this.#view(await completeWithSecret(this.#context, current, provider, secret));
      });
    } catch (error) {
      return this.#view(await failSession(this.#context, id, asAuthsomeError(error)));
    }
  }

  async expecting(params: URLSearchParams): Promise<AuthSession | undefined> {
    const session = await findByCallback(this.#context, params);
    return session && this.#view(session);
  }

  async callback(landing: URL, browser?: Browser): Promise<AuthSession> {
    return this.#view(await takeCallback(this.#context, landing, browser));
  }

  async callbackFromPaste(id: string, pasted: string): Promise<AuthSession> {
    const session = await this.#requireStage(id, 'authorize');
    return this.#view(await takePastedCallback(this.#context, session, pasted));
  }

  async cancel(id: string): Promise<AuthSession> {
    // After a response that is under way: what the provider has granted by then is kept and reported.
    return await withSession(this.#context, id, async () => {
      const before = await this.#current(id);
      let ended = false;
      const session = await this.#context.sessions.update(id, ({ status }) => {
        ended = status === 'waiting';
        return ended ? { status: 'cancelled', stage: 'over', secrets: {}, stateHash: undefined } : undefined;
      });
      if (ended) {
        notifyFailure(this.#context, session, new AuthsomeError('Cancelled', 'the sign-in was cancelled'));
        await doubtAfterSilence(this.#context, before);
      }
      return this.#view(session);
    });
  }

  async resume(): Promise<void> {
    await this.#context.sessions.forgetEnded();
    for (const session of await this.#context.sessions.waiting()) {
      const settled = await settleSession(this.#context, session);
      // Beside the start of the daemon; should the vault fail, the session stays for the next one.
      resumeSession(this.#context, settled).catch(() => undefined);
    }
  }

  async #takeClient(
    id: string,
    entered: { readonly clientId: string; readonly clientSecret: string },
  ): Promise<StoredSession> {
    const { options, sessions } = this.#context;
    const session = await this.#requireStage(id, 'client');
    const flow = flowOf(this.#context, session);
    if (flow.kind === 'secret') throw new TypeError('a client for a sign-in that takes none');
    const provider = providerOf(this.#context, session);
    const given = parseClient(provider, entered.clientId, entered.clientSecret, options.isPhantom);
    const endpoints = session.endpoints ?? (await findEndpoints(options, provider, flow.endpointsNeeded));
    const authMethod = authMethodFor(endpoints, provider, given);
    const client = { ...given, authMethod, origin: 'person' as const };
    await storeClient(options.vault, provider, endpoints, client);
    try {
      const stage = await flow.begin({ options, session, provider, endpoints, client });
      return await sessions.update(id, (current) =>
        current.status === 'waiting' && current.stage === 'client'
          ? { endpoints, ...stage, isClientEntered: current.browserHash !== undefined }
          : undefined,
      );
    } catch (error) {
      return await failSession(this.#context, id, asAuthsomeError(error));
    }
  }

  #view(session: StoredSession): AuthSession {
    return viewOf(this.#context, session);
  }

  async #current(id: string): Promise<StoredSession> {
    return await settleSession(this.#context, await this.#context.sessions.read(id));
  }

  async #requireStage(id: string, stage: StoredSession['stage']): Promise<StoredSession> {
    const session = await this.#current(id);
    if (session.status === 'waiting' && session.stage === stage) return session;
    throw new AuthsomeError(
      session.status === 'expired' ? 'SignInExpired' : 'SignInFailed',
      session.status === 'waiting'
        ? 'this sign-in is not waiting for that'
        : `this sign-in has ended: ${session.status}`,
      { hint: `Start again with: ${sessionLine(this.#context.options.catalog, session)}` },
    );
  }
}
