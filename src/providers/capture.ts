import type { HostPattern } from './host-pattern.ts';

/**
 * How a program that signs in by itself does so (`capture`). What it would get from these endpoints is stored as a connection,
 * and the program gets phantoms in its place.
 */
export interface CaptureDefinition {
  /** RFC 6749 §3.2. */
  readonly tokenEndpoints: readonly CaptureEndpoint[];
  /** RFC 7009: what the program calls when its user signs out. */
  readonly revocationEndpoints: readonly CaptureEndpoint[];
  /** What would give the program a further secret, such as an API key of its own: requests there are refused. */
  readonly refusedEndpoints: readonly CaptureEndpoint[];
  /** Of a successful answer, these fields are secret. */
  readonly secrets: readonly CapturedSecret[];
  /** How a refresh is told from a sign-in, and which field of it has the refresh token. */
  readonly refresh: { readonly grantType: string; readonly field: string };
  /** The clients of the program; empty for all. Other programs get at these endpoints what the service answers them. */
  readonly clientIds: readonly string[];
  /**
   * The commands of the program; empty for all. Only runs of these, and runs that have a connection of the provider, take its
   * sign-in over: all others reach the endpoints, which many programs use, as ever.
   */
  readonly programs: readonly string[];
  /** Where the answer says whose account it is: a dotted path, through the claims of a token too (`id_token.email`). */
  readonly account: string | undefined;
}

export interface CaptureEndpoint {
  /** As in the definition, without its query. */
  readonly url: string;
  /** Exact, with the whole path as its prefix. */
  readonly pattern: HostPattern;
  /** How parameters may come: by `Content-Type`. */
  readonly requests: readonly ('json' | 'form')[];
}

export interface CapturedSecret {
  /** Its name in the answer. */
  readonly field: string;
  /** The token of RFC 6749 §5.1 that it is; `undefined` of a further one, such as an ID token. */
  readonly role: 'access_token' | 'refresh_token' | undefined;
  /** `jwt`: its stand-in has the claims below, since the program reads them, and no key has signed it. */
  readonly shape: 'opaque' | 'jwt';
  /** Names of claims that are copied to the stand-in. */
  readonly claims: readonly string[];
}

/** An endpoint of a provider whose sign-ins are taken over. */
export interface CaptureRoute {
  readonly provider: string;
  readonly kind: 'token' | 'revocation' | 'refused';
  readonly endpoint: CaptureEndpoint;
  /** What its definition says about all of them. */
  readonly capture: CaptureDefinition;
}

/** What a request to a host with captured endpoints is. */
export type CaptureMatch =
  | { readonly kind: 'endpoint'; readonly route: CaptureRoute }
  /** A server may take it for a request to that endpoint, in a spelling of its own: refused, never guessed. */
  | { readonly kind: 'refused'; readonly route: CaptureRoute };

/** The endpoints whose sign-ins a run takes over. */
export interface CaptureTable {
  /** Hosts that its runs intercept, for their endpoints and for the API that their programs call after the sign-in. */
  readonly hosts: readonly string[];
  hasHost(host: string, port: number): boolean;
  /** By a canonical host and a raw path; `undefined` for every other request. */
  match(host: string, port: number, path: string): CaptureMatch | undefined;
}
