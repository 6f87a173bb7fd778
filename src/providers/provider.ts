import type { CaptureDefinition } from './capture.ts';
import type { HostPattern } from './host-pattern.ts';
import type { Placement } from './placement.ts';

/** Keys that match go in these places instead of the usual ones. */
export interface KeyShape {
  /** Anchored. */
  readonly pattern: RegExp;
  readonly placements: readonly Placement[];
}

/** On these hosts, the credential goes in these places. */
export interface InjectRule {
  readonly hosts: readonly HostPattern[];
  readonly placements: readonly Placement[];
  /** Other lists of places, of which one is used instead where the phantom stands in it. */
  readonly alternatives?: readonly (readonly Placement[])[];
  /** The first that a key matches decides; without one, `placements` do. */
  readonly shapes?: readonly KeyShape[];
  /** Responses from there are searched for the secret. */
  readonly scrub: boolean;
}

export const flowNames = ['pkce', 'dcr_pkce', 'device_code', 'api_key', 'client_credentials'] as const;
export type FlowName = (typeof flowNames)[number];

export interface OauthDefinition {
  readonly baseUrl: string | undefined;
  readonly issuer: string | undefined;
  /** Absolute URLs, `{base_url}` already replaced. */
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly revocationUrl: string | undefined;
  readonly deviceAuthorizationUrl: string | undefined;
  readonly registrationEndpoint: string | undefined;
  /** RFC 9126. */
  readonly pushedAuthorizationUrl: string | undefined;
  /** Whether authorization requests must be pushed there, or to the endpoint that discovery finds. */
  readonly pushRequired: boolean;
  readonly scopes: readonly string[];
  readonly scopeSeparator: string;
  /** Quirk as data: the parameter of the authorization request that scopes go into; Slack's user tokens have their own. */
  readonly scopeParameter: string;
  readonly pkce: boolean;
  readonly supportsDeviceCode: boolean;
  readonly supportsDcr: boolean;
  readonly tokenEndpointAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none' | undefined;
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly tokenParams: Readonly<Record<string, string>>;
  /** Quirk as data: some services take token requests as JSON. */
  readonly tokenRequest: 'form' | 'json';
  /** Quirk as data: some services take the device token request as JSON. */
  readonly deviceTokenRequest: 'form' | 'json';
  /** `optional`: a response need not say which server it is from, even where that leaves a doubt (RFC 9700 §4.4). */
  readonly iss: 'optional' | undefined;
  /** The host of the redirect URI, for services that refuse an address there (RFC 8252 §8.3 has the contrary). */
  readonly redirectHost: '127.0.0.1' | 'localhost' | undefined;
  /** RFC 8707: send `resource` with this value. */
  readonly resource: string | undefined;
  /** Where an account label is found after sign-in. `field` is a dotted path in the response (`user.email`). */
  readonly account: { readonly url: string; readonly field: string } | undefined;
}

export interface ApiKeyDefinition {
  readonly headerName: string | undefined;
  readonly headerPrefix: string;
  readonly queryParam: string | undefined;
  readonly envVar: string | undefined;
  /** Anchored; checked against what a person enters, and satisfied by the phantom. */
  readonly keyPattern: RegExp | undefined;
  readonly keyPatternHint: string | undefined;
  /** Kinds of key that go elsewhere than the usual place. */
  readonly shapes: readonly KeyShape[];
}

export type ProviderSource = 'bundled' | 'custom';

/** A provider definition after parsing: everything in it has been checked. */
/** A request that changes nothing, and that tells whether the service accepts a credential. */
export interface ProbeDefinition {
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** JSON pointer of what is true in the response to an accepted one, for a service that answers 200 to any. */
  readonly ok: string | undefined;
}

export interface Provider {
  readonly name: string;
  readonly displayName: string;
  readonly source: ProviderSource;
  readonly authType: 'oauth2' | 'api_key';
  readonly flow: FlowName;
  /** The origin (and path) that `{base_url}` stands for: the one asked for, else the definition's own. */
  readonly baseUrl: string | undefined;
  /** There is no `{base_url}` yet: nobody can sign in and nothing is routed until a person names one. */
  readonly needsBaseUrl: boolean;
  /** `baseUrl` is what a person asked for, not the definition's own. */
  readonly isBaseUrlAsked: boolean;
  readonly oauth: OauthDefinition | undefined;
  /** Beside `oauth`: the service takes a pasted key or token in the same places, so `--flow api_key` works too. */
  readonly apiKey: ApiKeyDefinition | undefined;
  readonly client: {
    readonly clientId: string | undefined;
    readonly clientIdEnv: string | undefined;
    readonly clientSecretEnv: string | undefined;
  };
  /** One rule made of `api_url` and the auth type's usual placement, then those of `inject`. */
  readonly inject: readonly InjectRule[];
  /** Environment variable names that a run gets with a phantom, and `export` with the secret. */
  readonly exportVariables: readonly { readonly name: string; readonly value: 'access_token' | 'api_key' }[];
  /** `export.phantom`: a stand-in of the definition's own, `{random}` in it replaced for each run. */
  readonly phantom: string | undefined;
  /** How programs of the service sign in by themselves. */
  readonly capture: CaptureDefinition | undefined;
  /** How to see that a credential is accepted. */
  readonly probe: ProbeDefinition | undefined;
  readonly docs: string | undefined;
  /** How to register an OAuth client or make a key there: a page and steps for people. */
  readonly setup: { readonly url: string | undefined; readonly steps: readonly string[] };
  /** The definition in today's spelling, `{base_url}` resolved: what `inspect` shows. Unknown fields kept. */
  readonly document: Readonly<Record<string, unknown>>;
}
