/**
 * The use cases of a connection: sign in, hand out a live credential, refresh it once for all callers, revoke it.
 */
export { redirectUriFor } from './clients/index.ts';
export type { Connections } from './connections.ts';
export { createConnections } from './connections.ts';
export type {
  AuthSession,
  Browser,
  Comparison,
  ConnectionChange,
  ConnectionDetails,
  ConnectionSummary,
  ExportReport,
  HostsReport,
  Opening,
  RecognizedSecret,
  RevokeReport,
  SignIns,
} from './contract.ts';
export type { DurablePhantom, DurablePhantoms } from './phantoms/index.ts';
export type { ScopeAdvice } from './scope-advice.ts';
