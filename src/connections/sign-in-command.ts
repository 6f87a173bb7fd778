import { type SignInTarget, signInLine } from '../command-line.ts';
import type { Provider } from '../providers/index.ts';
import type { ProviderCatalog } from './contract.ts';
import type { Connection, NewSession } from './records/index.ts';

type OfConnection = Pick<Connection, 'provider' | 'name' | 'flow' | 'baseUrl'>;
export type OfSession = Pick<NewSession, 'provider' | 'connection' | 'flow' | 'baseUrl' | 'requestedScopes'>;
type More = Pick<SignInTarget, 'force' | 'scopes'>;

/** The command that signs in to this connection again: at its server, by its flow, in its place. */
export function connectionLine(
  catalog: ProviderCatalog,
  { provider, name, flow, baseUrl }: OfConnection,
  more: More = { force: true },
): string {
  const usual = definitionOf(catalog, provider);
  return signInLine({ provider, connection: name, flow: unlessUsual(flow, usual?.flow), baseUrl, ...more });
}

/** The command that begins this sign-in once more, asking for the same. */
export function sessionLine(catalog: ProviderCatalog, session: OfSession): string {
  const { provider, connection, flow, baseUrl, requestedScopes } = session;
  const usual = definitionOf(catalog, provider);
  const scopes = isSame(requestedScopes, usual?.oauth?.scopes ?? []) ? undefined : requestedScopes;
  return signInLine({
    provider,
    connection,
    flow: unlessUsual(flow, usual?.flow),
    baseUrl,
    scopes,
    force: true,
  });
}

/** As `sessionLine`, with a client that a person registered instead. */
export function byHandLine(catalog: ProviderCatalog, session: OfSession): string {
  return sessionLine(catalog, { ...session, flow: 'pkce' });
}

/** As `sessionLine`, in a browser instead of on another device. */
export function browserLine(catalog: ProviderCatalog, session: OfSession): string {
  const flow = definitionOf(catalog, session.provider)?.flow === 'dcr_pkce' ? 'dcr_pkce' : 'pkce';
  return sessionLine(catalog, { ...session, flow });
}

/**
 * The command that signs in to the same place, for a hint that adds to it: what was asked for is left to that, and so
 * is the flow of a device, which such hints name or advise against.
 */
export function sessionPlace(
  catalog: ProviderCatalog,
  { provider, connection, flow, baseUrl }: Omit<OfSession, 'requestedScopes'>,
): string {
  const named = flow === 'device_code' ? undefined : unlessUsual(flow, definitionOf(catalog, provider)?.flow);
  return signInLine({ provider, connection, flow: named, baseUrl });
}

/** `undefined` for a definition that has since been removed or broken: the line does without it. */
function definitionOf(catalog: ProviderCatalog, provider: string): Provider | undefined {
  try {
    return catalog.find(provider);
  } catch {
    return undefined;
  }
}

function unlessUsual(flow: string, usual: string | undefined): string | undefined {
  return usual === undefined || flow === usual ? undefined : flow;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((scope, index) => scope === others[index]);
}
