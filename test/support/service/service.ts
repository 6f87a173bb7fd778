import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Api, createApi } from './api.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  createAuthorizationServer,
  type RegisteredClient,
} from './authorization-server.ts';
import { createThrowawayCa } from './certificates.ts';

/** Names of the demo's services. All of them are one listener on loopback; `.test` belongs to nobody (RFC 2606). */
export const hosts = {
  login: 'login.acme.test',
  api: 'api.acme.test',
  keyApi: 'api.pixel.test',
  stranger: 'collector.elsewhere.test',
  lookalike: 'api.acme.test.elsewhere.test',
  queryApi: 'query.acme.test',
  basicApi: 'basic.acme.test',
} as const;

export interface ServiceOptions {
  readonly redirectUri: string;
  readonly client: Omit<RegisteredClient, 'redirectUris'>;
  /** Keys that the API honors besides access tokens. */
  readonly apiKeys: readonly string[];
  readonly firstTokenTtlSeconds?: number;
  readonly rotateRefreshTokens?: boolean;
  readonly features?: AuthorizationServerOptions['features'];
}

export interface Service {
  readonly port: number;
  /** PEM of the throwaway CA that all certificates here come from. */
  readonly caPem: string;
  /** Value of `AUTHSOME_RESOLVE` that brings every name to this listener. */
  readonly resolve: string;
  readonly authorization: AuthorizationServer;
  readonly api: Api;
  close(): Promise<void>;
}

/** A real authorization server and a real HTTPS API, on one loopback port. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const ca = await createThrowawayCa('Throwaway demo CA');
  const names = Object.values(hosts);
  const certificate = await ca.issue(names);
  const authorization = await createAuthorizationServer({
    issuer: `https://${hosts.login}`,
    clients: [{ ...options.client, redirectUris: [options.redirectUri] }],
    scopes: ['read', 'write'],
    firstTokenTtlSeconds: options.firstTokenTtlSeconds ?? 3_600,
    rotateRefreshTokens: options.rotateRefreshTokens ?? true,
    features: options.features,
  });
  const api = createApi({
    accepts: async (credential) =>
      options.apiKeys.includes(credential) || (await authorization.accepts(credential)),
  });
  const listener: RequestListener = (request, response) => {
    const side = request.headers.host === hosts.login ? authorization : api;
    side.handle(request, response);
  };
  const server = createServer({ cert: certificate.certPem, key: certificate.keyPem }, listener);
  // A client that goes away in the middle is no news here.
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    caPem: ca.caPem,
    resolve: names.map((name) => `${name}:443:127.0.0.1:${port}`).join(','),
    authorization,
    api,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
