/**
 * What the vault stores of connections, sign-ins and clients: one file reads and writes each kind of record.
 */
export {
  doubtClient,
  findClient,
  forgetClients,
  forgetEnteredClient,
  hasClient,
  isClientInUse,
  isRefusedRegistration,
  isUsedElsewhere,
  type KnownClient,
  setClientAside,
  storeClient,
} from './client-store.ts';
export {
  bindingTo,
  type Connection,
  type ConnectionSecrets,
  connectionFrom,
  isUsable,
  type NewConnection,
  secretsFrom,
  secretsOf,
  summaryOf,
  type TokenBinding,
  writeConnection,
} from './connection-record.ts';
export {
  type ConnectionStore,
  connectionNotFound,
  createConnectionStore,
  type OpenConnection,
} from './connection-store.ts';
export { trackExchanges } from './exchanges.ts';
export {
  listPhantoms,
  type PhantomRecord,
  readPhantoms,
  retired,
  type StoredPhantom,
  writePhantoms,
} from './phantom-record.ts';
export type { NewSession, StoredSession } from './session-record.ts';
export { createSessionStore, hashOf, type SessionStore, sessionNotFound } from './session-store.ts';
