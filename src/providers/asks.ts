import { AuthsomeError } from '../errors.ts';
import { parseProvider } from './parse/index.ts';
import { placementName } from './placement.ts';
import type { OauthDefinition, Provider } from './provider.ts';

/** What a definition asks for: a person who registers it or signs in with it decides by this. */
export interface DefinitionAsks {
  /** Patterns of the hosts that get the credential, as in the definition. */
  readonly hosts: readonly string[];
  /** Where in a request the credential goes: `header X-Key`, `Basic`, `query parameter key`, `path /bot{secret}/`; with hosts where they differ. */
  readonly placements: readonly string[];
  readonly endpoints: readonly { readonly name: string; readonly url: string }[];
  /** Variables that a login reads, with the hosts that get their values. */
  readonly variablesRead: readonly { readonly name: string; readonly sentTo: readonly string[] }[];
  /** Variables that a run sets, and `export` prints. */
  readonly variablesSet: readonly string[];
  /** Protections that the definition does without: `scrub at <host pattern>`, `oauth.iss`. */
  readonly turnsOff: readonly string[];
}

/** `withBaseUrl`: for a definition that `--base-url` changes, `{base_url}` in place of the address. */
export interface AsksInEachForm {
  readonly usual: DefinitionAsks;
  readonly withBaseUrl: DefinitionAsks | undefined;
}

/** What the definition asks for, as it has been parsed: with the base URL that it was parsed with. */
export function asksOf(provider: Provider): DefinitionAsks {
  const { apiKey, client, oauth, exportVariables } = provider;
  const hosts = unique(provider.inject.flatMap((rule) => rule.hosts.map(({ text }) => text)));
  // A flow whose endpoints are not all written finds them at the issuer, the token endpoint included.
  const atToken = hostsOf([oauth?.tokenUrl, oauth?.issuer ?? oauth?.resource, discoveredFrom(provider)]);
  const more = [oauth?.deviceAuthorizationUrl, oauth?.pushedAuthorizationUrl, oauth?.revocationUrl];
  const getSecret = unique([...atToken, ...hostsOf(more)]);
  const getId = unique([...hostsOf([oauth?.authorizationUrl]), ...getSecret]);
  return {
    hosts,
    placements: placementsIn(provider),
    endpoints: [
      ...(oauth === undefined ? [] : endpointsOf(oauth, discoveredFrom(provider))),
      ...capturedAt(provider).map((url) => ({ name: 'capture', url })),
    ],
    variablesRead: [
      { name: apiKey?.envVar, sentTo: hosts },
      { name: client.clientIdEnv, sentTo: getId },
      { name: client.clientSecretEnv, sentTo: getSecret },
    ].flatMap(({ name, sentTo }) => (name === undefined ? [] : [{ name, sentTo }])),
    variablesSet: unique(exportVariables.map(({ name }) => name)),
    turnsOff: turnedOff(provider),
  };
}

function placementsIn({ inject }: Provider): readonly string[] {
  const placed = inject.map(({ hosts, placements, alternatives = [], shapes = [] }) => ({
    hosts: hosts.map(({ text }) => text).join(', '),
    names: unique(
      [...placements, ...alternatives.flat(), ...shapes.flatMap((shape) => shape.placements)].map(
        placementName,
      ),
    ),
  }));
  const names = unique(placed.flatMap((rule) => rule.names));
  if (names.length === 1) return names;
  return unique(placed.flatMap((rule) => rule.names.map((name) => `${name}, at ${rule.hosts}`)));
}

function turnedOff({ inject, oauth }: Provider): readonly string[] {
  const unsearched = inject.filter(({ scrub }) => !scrub).flatMap((rule) => rule.hosts);
  const scrub = unsearched.map(({ text }) => `scrub at ${text}`);
  return oauth?.iss === 'optional' ? [...scrub, 'oauth.iss'] : scrub;
}

/** Stands for the address that a person has yet to give. */
const baseUrl = 'https://base-url.invalid';

/**
 * What a definition asks for in each form that it has: as it is, and with `--base-url`, where its `self_hosted` fields
 * replace others. Throws as `parseProvider` does, for either form.
 */
export function asksOfDefinition(document: unknown, provider: Provider): AsksInEachForm {
  const isTemplate = provider.document.self_hosted != null || provider.needsBaseUrl;
  return {
    usual: asksOf(provider),
    withBaseUrl: isTemplate ? asksWithBaseUrl(document, provider) : undefined,
  };
}

/** `undefined` for a definition that takes no base URL after all. */
function asksWithBaseUrl(document: unknown, { source }: Provider): DefinitionAsks | undefined {
  let provider: Provider;
  try {
    provider = parseProvider(document, source, { baseUrl });
  } catch (error) {
    if (error instanceof AuthsomeError && error.code === 'Usage') return undefined;
    throw error;
  }
  const shown = (text: string) =>
    text.replaceAll(baseUrl, '{base_url}').replaceAll(new URL(baseUrl).host, '{base_url}');
  const { hosts, placements, endpoints, variablesRead, variablesSet, turnsOff } = asksOf(provider);
  return {
    hosts: hosts.map(shown),
    placements: placements.map(shown),
    endpoints: endpoints.map(({ name, url }) => ({ name, url: shown(url) })),
    variablesRead: variablesRead.map(({ name, sentTo }) => ({ name, sentTo: sentTo.map(shown) })),
    variablesSet,
    turnsOff: turnsOff.map(shown),
  };
}

/** The address that is asked at each sign-in which issuer counts, whatever issuer the definition names. */
function discoveredFrom({ document }: Provider): string | undefined {
  const { discovered_from: address } = document;
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).href : undefined;
}

function endpointsOf(
  oauth: OauthDefinition,
  discoveredFrom: string | undefined,
): DefinitionAsks['endpoints'] {
  const named = {
    discovered_from: discoveredFrom,
    issuer: oauth.issuer,
    authorization_url: oauth.authorizationUrl,
    token_url: oauth.tokenUrl,
    revocation_url: oauth.revocationUrl,
    device_authorization_url: oauth.deviceAuthorizationUrl,
    registration_endpoint: oauth.registrationEndpoint,
    pushed_authorization_request_endpoint: oauth.pushedAuthorizationUrl,
    resource: oauth.resource,
    'account.url': oauth.account?.url,
  };
  return Object.entries(named).flatMap(([name, url]) => (url === undefined ? [] : [{ name, url }]));
}

/** Where it takes over the sign-ins of programs in a run. */
function capturedAt({ capture }: Provider): readonly string[] {
  if (capture === undefined) return [];
  return [...capture.tokenEndpoints, ...capture.revocationEndpoints, ...capture.refusedEndpoints].map(
    ({ url }) => url,
  );
}

function hostsOf(urls: readonly (string | undefined)[]): readonly string[] {
  return unique(urls.flatMap((url) => (url === undefined ? [] : [new URL(url).host])));
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
