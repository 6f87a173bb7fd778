import type { CallbackResult, TokenSet } from '../../../oauth/index.ts';
import type { FlowName, Provider } from '../../../providers/index.ts';
import type { AuthSession, ConnectionsOptions } from '../../contract.ts';
import type { GrantRefresh } from '../../credentials/index.ts';
import type { Endpoints } from '../../discovery/index.ts';
import type { KnownClient, NewSession, StoredSession } from '../../records/index.ts';

/** A sign-in as its flow sees it: what is asked for, where, and as which client. */
export interface FlowContext<Session = NewSession> {
  readonly options: ConnectionsOptions;
  readonly session: Session;
  readonly provider: Provider;
  readonly endpoints: Endpoints;
  readonly client: KnownClient;
}

/** What to write over the newest state of a session; `undefined` leaves it as it is. */
export type SessionChange = (current: StoredSession) => Partial<NewSession> | undefined;

/** What one `resume` has achieved. */
export type FlowStep =
  | { readonly kind: 'tokens'; readonly tokens: TokenSet }
  /** Not there yet: a person or the next poll continues from the changed session. */
  | { readonly kind: 'unfinished'; readonly change?: SessionChange };

/** The part of a session's view that differs from flow to flow. */
export type FlowView = Partial<
  Pick<AuthSession, 'providerUrl' | 'providerUrlExpiresAtMs' | 'verificationUri' | 'userCode'>
>;

interface AnyFlow {
  /** Why a provider cannot be signed in to by this flow; `undefined` when it can. */
  obstacle(provider: Provider): string | undefined;
}

export interface ReadingOptions {
  /** The environment variable that it came from. */
  readonly variable?: string | undefined;
  readonly isPhantom: ConnectionsOptions['isPhantom'];
}

/** A person hands over a secret; the provider is not asked. The session waits at the stage `secret`. */
export interface SecretFlow extends AnyFlow {
  readonly kind: 'secret';
  /**
   * The secret as it is stored. Throws InvalidKey, which may name the environment variable that it came from. A phantom,
   * by its text or by `isPhantom`, is no secret.
   */
  readSecret(provider: Provider, entered: string, options: ReadingOptions): string;
}

/** An OAuth client gets tokens. Flows decide and ask; what they return is stored by the sign-in. */
export interface OauthFlow extends AnyFlow {
  readonly kind: 'oauth';
  /** Without these the definition is not enough, and discovery has to find them. */
  readonly endpointsNeeded: readonly (keyof Endpoints)[];
  /** Whether the client is registered on demand (RFC 7591); otherwise a person enters it once. */
  readonly registersClient: boolean;
  /** What changes in a session once its client is known: its stage, and what a person needs to continue. */
  begin(context: FlowContext): Promise<Partial<NewSession>>;
  /** The stage at which `resume` continues without a person, also after a restart. */
  readonly resumesAt: StoredSession['stage'];
  /** Takes one step towards the tokens. What it throws ends the sign-in. */
  resume(context: FlowContext<StoredSession>): Promise<FlowStep>;
  /** For a flow that polls: the wait before each `resume`. */
  readonly pauseMs?: (session: StoredSession) => number;
  /** For a flow that sends a browser away and waits for its return. */
  readonly redirect?: RedirectSteps;
  readonly refresh: GrantRefresh;
  view(session: StoredSession): FlowView;
}

/** How a browser comes back to a session at the stage `authorize`. */
export interface RedirectSteps {
  /** What it means that a browser comes back to this URL. `client` is the session's own, where it is still known. */
  readCallback(
    context: Omit<FlowContext<StoredSession>, 'client' | 'endpoints'> & {
      readonly client: KnownClient | undefined;
    },
    landing: URL,
  ): Promise<CallbackResult>;
  /** A new address for the same attempt, in place of one that works once. Rejects with SignInFailed or EndpointUnreachable. */
  renewAddress(context: FlowContext<StoredSession>): Promise<SessionChange>;
}

export type Flow = SecretFlow | OauthFlow;

/** Every flow by its name, in the order in which they are shown. */
export type FlowTable = Readonly<Record<FlowName, Flow>>;
