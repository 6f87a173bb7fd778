/**
 * The use cases of a connection: sign in, hand out a live credential, refresh it once whoever asks, revoke it.
 */
export type { Connections } from './connections.ts';
export { createConnections } from './connections.ts';
export type { CredentialSource, LiveCredential } from './credential.ts';
export { connectionKey, connectionName, splitConnectionKey } from './names.ts';
export type {
  AuthSession,
  ConnectionChange,
  ConnectionDetails,
  ConnectionEvent,
  ConnectionStatus,
  ConnectionSummary,
  ConnectionsOptions,
  ExportReport,
  ProviderCatalog,
  RevokeReport,
  SessionStatus,
  SignInRequest,
  SignIns,
  Trouble,
} from './ports.ts';
