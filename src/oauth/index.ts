/**
 * The OAuth client: one file per flow. Requests are sent with a `fetch` that arrives as an argument; responses
 * are judged by pure functions. It knows no store, no provider catalog and no user.
 */
export type {
  AuthorizationRequest,
  AuthorizationRequestOptions,
  CodeExchange,
  ExpectedCallback,
  TokenEndpoint,
} from './authorization-code.ts';
export {
  authorizationHint,
  authorizationRequest,
  exchangeCode,
  readCallback,
  sameText,
  stateMismatch,
} from './authorization-code.ts';
export type { AuthMethod } from './client-authentication.ts';
export { clientSecrets } from './client-authentication.ts';
export type { Fetch, Reply } from './endpoint.ts';
export { fetchDocument } from './endpoint.ts';
export { printable } from './provider-text.ts';
export type { Refresh, RefreshJudgement } from './refresh.ts';
export { readRefreshResponse, refreshRequest } from './refresh.ts';
export type { Revocation } from './revocation.ts';
export { revokeTokens } from './revocation.ts';
export type { ClientCredentials, TokenSet } from './token.ts';
export { isToken, parseBody } from './token-response.ts';
