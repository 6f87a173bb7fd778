import type { AuthMethod, ClientCredentials } from '../../oauth/index.ts';
import { type Provider, registrableDomain } from '../../providers/index.ts';
import type { Vault } from '../../vault/index.ts';
import { withoutUndefined } from './stored-fields.ts';

/** A client with what else there is to know about it. */
export interface KnownClient extends ClientCredentials {
  /** As registered; otherwise the definition decides. */
  readonly authMethod: AuthMethod | undefined;
  /** `document`: its id is the URL of a published document about it, and nothing was registered. */
  readonly origin: 'person' | 'environment' | 'definition' | 'registration' | 'document';
  /** RFC 9126 §6. */
  readonly pushRequired?: boolean | undefined;
  /** RFC 7591 `client_secret_expires_at`. */
  readonly secretExpiresAtMs?: number | undefined;
  /** RFC 7592. */
  readonly registrationUri?: string | undefined;
  readonly registrationToken?: string | undefined;
  /** What it was registered with. */
  readonly redirectUri?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly doubt?: ClientDoubt | undefined;
}

/**
 * Why a registered client may be unknown to the server by now: the server refused it, or a person who was sent there with it
 * never came back (RFC 6749 §4.1.2.1 has a server show that on a page of its own).
 */
type ClientDoubt = 'refused' | 'silence';

/** Where a client may be shown: its issuer, or else the origin of its token endpoint, and what else gets its secret. */
export interface ClientHome {
  readonly issuer: string | undefined;
  readonly tokenUrl: string;
  readonly deviceAuthorizationUrl?: string | undefined;
  readonly pushedAuthorizationUrl?: string | undefined;
  readonly revocationUrl?: string | undefined;
}

interface ClientFields {
  readonly clientId: string;
  readonly origin: KnownClient['origin'];
  readonly authMethod?: AuthMethod;
  readonly issuer?: string;
  readonly tokenOrigin: string;
  /** Owners of the other endpoints that got its secret when it was stored. */
  readonly shownTo?: readonly string[];
  readonly pushRequired?: boolean;
  readonly secretExpiresAtMs?: number;
  readonly registrationUri?: string;
  readonly redirectUri?: string;
  readonly scopes?: readonly string[];
  readonly doubt?: ClientDoubt;
}

/**
 * The client to use at `home`: the stored one when it was issued there, else the definition's own public one.
 * A stored client of another issuer is as good as none: its secret must not travel. With `clientId`, a grant's own
 * client, which a newer one may have taken the place of.
 */
export async function findClient(
  vault: Vault,
  provider: Provider,
  home: ClientHome,
  clientId?: string,
): Promise<KnownClient | undefined> {
  const newest = await vault.read('client', clientName(provider));
  const isAnother = clientId !== undefined && newest !== undefined && newest.fields.clientId !== clientId;
  const older = isAnother ? await vault.read('client', olderName(newest.name, clientId)) : undefined;
  const record = older ?? newest;
  if (record !== undefined) {
    const fields = record.fields as unknown as ClientFields;
    if (belongsTo(fields, home)) {
      return {
        clientId: fields.clientId,
        clientSecret: record.secrets.clientSecret,
        authMethod: fields.authMethod,
        origin: fields.origin,
        pushRequired: fields.pushRequired,
        secretExpiresAtMs: fields.secretExpiresAtMs,
        registrationUri: fields.registrationUri,
        registrationToken: record.secrets.registrationToken,
        redirectUri: fields.redirectUri,
        scopes: fields.scopes,
        doubt: fields.doubt,
      };
    }
  }
  const { clientId: shipped } = provider.client;
  if (shipped === undefined) return undefined;
  return { clientId: shipped, clientSecret: undefined, authMethod: undefined, origin: 'definition' };
}

export async function storeClient(
  vault: Vault,
  provider: Provider,
  home: ClientHome,
  client: KnownClient,
): Promise<void> {
  const fields: ClientFields = {
    clientId: client.clientId,
    origin: client.origin,
    tokenOrigin: new URL(home.tokenUrl).origin,
    shownTo: [...new Set(otherEndpoints(home).map(ownerOf))],
    ...(withoutUndefined({
      issuer: home.issuer,
      authMethod: client.authMethod,
      pushRequired: client.pushRequired,
      secretExpiresAtMs: client.secretExpiresAtMs,
      registrationUri: client.registrationUri,
      redirectUri: client.redirectUri,
      scopes: client.scopes,
    }) as Partial<ClientFields>),
  };
  const record = {
    kind: 'client' as const,
    name: clientName(provider),
    fields: { ...fields },
    secrets: withoutUndefined({
      clientSecret: client.clientSecret,
      registrationToken: client.registrationToken,
    }) as Readonly<Record<string, string>>,
  };
  for (;;) {
    const stored = await vault.read('client', record.name);
    if ((await vault.write(record, stored?.version ?? 0)) !== undefined) return;
  }
}

/**
 * Notes what speaks against a registered client, or with `undefined` that nothing does. One that has been replaced, or
 * that was not registered, is left unchanged. A refusal outweighs a silence.
 */
export async function doubtClient(
  vault: Vault,
  provider: Provider,
  clientId: string,
  doubt: ClientDoubt | undefined,
): Promise<void> {
  for (;;) {
    const record = await vault.read('client', clientName(provider));
    const { doubt: before, ...fields } = (record?.fields ?? {}) as Partial<ClientFields>;
    if (record === undefined || fields.clientId !== clientId || fields.origin !== 'registration') return;
    if (before === doubt || (before === 'refused' && doubt === 'silence')) return;
    const next = { ...fields, ...(doubt === undefined ? {} : { doubt }) };
    if ((await vault.write({ ...record, fields: next }, record.version)) !== undefined) return;
  }
}

/** Whether a server rejects a client that it registered itself: it has forgotten it, or its secret. */
export function isRefusedRegistration(
  reply: { readonly kind: string; readonly clientRefused?: boolean },
  client: KnownClient,
): boolean {
  return reply.clientRefused === true && client.origin === 'registration';
}

/** Whether a connection, or a sign-in in progress, still needs this client. */
export async function isClientInUse(vault: Vault, provider: Provider, clientId: string): Promise<boolean> {
  for (const { fields } of await vault.list('connection')) {
    const { binding } = fields as { readonly binding?: { readonly clientId?: unknown } };
    if (fields.provider === provider.name && binding?.clientId === clientId) return true;
  }
  return (await vault.list('auth-session')).some(
    ({ fields }) =>
      fields.provider === provider.name && fields.clientId === clientId && fields.status === 'waiting',
  );
}

interface KnownHome {
  readonly issuer?: string | undefined;
  readonly tokenUrl?: string | undefined;
}

/** Whether a client ID is used with another server than this: by a connection, a sign-in, or a definition. */
export async function isUsedElsewhere(
  { vault, catalog }: { readonly vault: Vault; readonly catalog: { list(): readonly Provider[] } },
  clientId: string,
  home: ClientHome,
): Promise<boolean> {
  const homes: KnownHome[] = [];
  for (const { fields } of await vault.list('connection')) {
    const { binding } = fields as {
      readonly binding?: KnownHome & { readonly clientId?: unknown };
    };
    if (binding?.clientId === clientId) homes.push(binding);
  }
  for (const { fields } of await vault.list('auth-session')) {
    const { endpoints } = fields as { readonly endpoints?: KnownHome };
    if (fields.clientId === clientId && fields.status === 'waiting') homes.push(endpoints ?? {});
  }
  for (const { client, oauth } of catalog.list()) if (client.clientId === clientId) homes.push(oauth ?? {});
  return homes.some(({ issuer, tokenUrl }) => {
    if (issuer !== undefined && home.issuer !== undefined) return issuer !== home.issuer;
    return (
      tokenUrl !== undefined &&
      URL.canParse(tokenUrl) &&
      new URL(tokenUrl).origin !== new URL(home.tokenUrl).origin
    );
  });
}

/** Keeps the stored client for the grants that it was given, before a newer one takes its place. */
export async function setClientAside(vault: Vault, provider: Provider): Promise<void> {
  const record = await vault.read('client', clientName(provider));
  if (record === undefined) return;
  const name = olderName(record.name, String(record.fields.clientId));
  const stored = await vault.read('client', name);
  await vault.write({ ...record, name }, stored?.version ?? 0);
}

function olderName(name: string, clientId: string): string {
  return `${name}#${clientId}`;
}

/** Whether a client of this provider (at any base URL) is stored. */
export async function hasClient(vault: Vault, provider: string): Promise<boolean> {
  return (await clientNames(vault, provider)).length > 0;
}

/** Forgets a client that a person entered, unless a connection or another sign-in needs it. */
export async function forgetEnteredClient(vault: Vault, provider: Provider, clientId: string): Promise<void> {
  if (await isClientInUse(vault, provider, clientId)) return;
  const record = await vault.read('client', clientName(provider));
  if (record?.fields.clientId !== clientId || record.fields.origin !== 'person') return;
  await vault.remove('client', record.name);
}

/** Whether there was a client of this provider (at any base URL) to forget. */
export async function forgetClients(vault: Vault, provider: string): Promise<boolean> {
  let found = false;
  for (const name of await clientNames(vault, provider)) {
    if (await vault.remove('client', name)) found = true;
  }
  return found;
}

async function clientNames(vault: Vault, provider: string): Promise<readonly string[]> {
  return (await vault.list('client'))
    .map(({ name }) => name)
    .filter(
      (name) => name === provider || name.startsWith(`${provider}@`) || name.startsWith(`${provider}#`),
    );
}

/** One client per provider, and one more for each other base URL. */
function clientName(provider: Provider): string {
  const { baseUrl } = provider;
  return baseUrl === undefined ? provider.name : `${provider.name}@${baseUrl}`;
}

function belongsTo(fields: ClientFields, home: ClientHome): boolean {
  if (fields.tokenOrigin !== new URL(home.tokenUrl).origin) return false;
  // A definition that has gained such an endpoint since must not get the secret there.
  const owners = new Set([ownerOf(fields.tokenOrigin), ...(fields.shownTo ?? [])]);
  if (!otherEndpoints(home).every((url) => owners.has(ownerOf(url)))) return false;
  return fields.issuer === undefined || home.issuer === undefined || fields.issuer === home.issuer;
}

function otherEndpoints(home: ClientHome): readonly string[] {
  const { deviceAuthorizationUrl, pushedAuthorizationUrl, revocationUrl } = home;
  return [deviceAuthorizationUrl, pushedAuthorizationUrl, revocationUrl].filter((url) => url !== undefined);
}

/** The registered domain of a URL, or its host where there is none, with the port. */
function ownerOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${registrableDomain(hostname) ?? hostname}:${port}`;
}
