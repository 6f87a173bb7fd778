/** What the tests of this room stand on: a vault in memory and a provider definition. Not used by the product. */
import { randomBytes } from 'node:crypto';
import { AuthsomeError } from '../../errors.ts';
import { type OauthDefinition, type Provider, parseProvider } from '../../providers/index.ts';
import type { RecordKind, StoredRecord, Vault } from '../../vault/index.ts';
import type { ConnectionEvent, ConnectionsOptions } from '../contract.ts';

/** A vault over records that outlive it, as a database outlives a daemon; its leases end with it. */
export function memoryVault(records: Map<string, StoredRecord> = new Map()): Vault {
  const leases = new Map<string, Promise<unknown>>();
  const key = (kind: RecordKind, name: string): string => `${kind}|${name}`;
  return {
    id: 'vault',
    async read(kind, name) {
      const found = records.get(key(kind, name));
      return found === undefined ? undefined : structuredClone(found);
    },
    async list(kind) {
      const found = [...records.values()].filter((record) => record.kind === kind);
      return structuredClone(found)
        .map(({ secrets: _, ...rest }) => rest)
        .sort((left, right) => (left.name < right.name ? -1 : 1));
    },
    async write(record, expectedVersion) {
      const name = key(record.kind, record.name);
      if ((records.get(name)?.version ?? 0) !== expectedVersion) return undefined;
      const stored: StoredRecord = JSON.parse(JSON.stringify({ ...record, version: expectedVersion + 1 }));
      records.set(name, stored);
      return structuredClone(stored);
    },
    async remove(kind, name) {
      return records.delete(key(kind, name));
    },
    async exclusively(name, _leaseMs, work) {
      const before = leases.get(name) ?? Promise.resolve();
      const mine = before.then(work, work);
      leases.set(
        name,
        mine.catch(() => undefined),
      );
      return await mine;
    },
  };
}

// Only what this room reads.
const oauthDefaults = {
  baseUrl: undefined,
  issuer: undefined,
  authorizationUrl: 'https://id.example/authorize',
  tokenUrl: 'https://id.example/token',
  revocationUrl: 'https://id.example/revoke',
  deviceAuthorizationUrl: undefined,
  registrationEndpoint: undefined,
  pushedAuthorizationUrl: undefined,
  pushRequired: false,
  iss: undefined,
  scopes: ['read'],
  scopeSeparator: ' ',
  scopeParameter: 'scope',
  pkce: true,
  supportsDeviceCode: false,
  supportsDcr: false,
  tokenEndpointAuthMethod: undefined,
  authorizationParams: {},
  tokenParams: {},
  tokenRequest: 'form',
  deviceTokenRequest: 'form',
  resource: undefined,
  account: undefined,
} as unknown as OauthDefinition;

export function oauthProvider(oauth: Partial<OauthDefinition> = {}, rest: Partial<Provider> = {}): Provider {
  return {
    name: 'acme',
    displayName: 'Acme',
    source: 'custom',
    authType: 'oauth2',
    flow: 'pkce',
    baseUrl: undefined,
    needsBaseUrl: false,
    isBaseUrlAsked: false,
    oauth: { ...oauthDefaults, ...oauth },
    apiKey: undefined,
    client: { clientId: undefined, clientIdEnv: undefined, clientSecretEnv: undefined },
    inject: [],
    exportVariables: [{ name: 'ACME_TOKEN', value: 'access_token' }],
    phantom: undefined,
    docs: undefined,
    setup: { url: 'https://acme.example/settings/apps', steps: [] },
    document: {},
    ...rest,
  } as unknown as Provider;
}

export function keyProvider(keyPattern?: RegExp): Provider {
  return oauthProvider(
    {},
    {
      name: 'keys',
      displayName: 'Keys Inc.',
      authType: 'api_key',
      flow: 'api_key',
      oauth: undefined,
      apiKey: {
        headerName: 'authorization',
        headerPrefix: 'Bearer ',
        queryParam: undefined,
        envVar: 'KEYS_API_KEY',
        keyPattern,
        keyPatternHint: keyPattern === undefined ? undefined : 'A key begins with "sk-".',
        shapes: [],
      },
      exportVariables: [{ name: 'KEYS_API_KEY', value: 'api_key' }],
    },
  );
}

export interface Fixture {
  readonly options: ConnectionsOptions;
  readonly events: ConnectionEvent[];
  readonly clock: { nowMs: number };
}

export function openFixture(
  providers: readonly Provider[],
  overrides: Partial<ConnectionsOptions> = {},
): Fixture {
  const events: ConnectionEvent[] = [];
  const known = [...providers];
  const find = (name: string): Provider | undefined => known.find((provider) => provider.name === name);
  const clock = { nowMs: Date.now() };
  const options: ConnectionsOptions = {
    vault: memoryVault(),
    catalog: {
      find,
      list: () => known,
      resolve(name) {
        const provider = find(name);
        if (provider === undefined)
          throw new AuthsomeError('ProviderNotFound', `no provider is named ${name}`);
        return provider;
      },
      async add(document, { allowLoopback = false }) {
        const added = parseProvider({ ...(document as object), allow_loopback: allowLoopback }, 'custom');
        const before = known.findIndex(({ name }) => name === added.name);
        if (before === -1) known.push(added);
        else known[before] = added;
        return added;
      },
    },
    fetchFor: () => () => Promise.reject(new Error('no request was expected')),
    notify: (event) => events.push(event),
    nowMs: () => clock.nowMs,
    randomBytes,
    redirectUri: 'http://127.0.0.1:7998/auth/callback/oauth',
    ticketUrl: (id, ticket) => `http://127.0.0.1:7998/auth/sessions/${id}/${ticket}`,
    ...overrides,
  };
  return { options, events, clock };
}
