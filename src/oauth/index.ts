/**
 * The OAuth client: one file per flow. Requests are sent with a `fetch` that arrives as an argument; responses
 * are read by pure functions. It knows no store, no provider catalog and no user.
 */
export type { Attempt, CallbackResult } from './authorization-code.ts';
export {
  authorizationRequest,
  exchangeCode,
  newAttempt,
  readCallback,
  sameText,
  stateMismatch,
} from './authorization-code.ts';
export type { ScopeFields } from './challenge.ts';
export { missingScopes } from './challenge.ts';
export type { AuthMethod } from './client-authentication.ts';
export { clientSecrets } from './client-authentication.ts';
export { clientCredentialsRequest, clientCredentialsTokens } from './client-credentials.ts';
export type { DevicePoll } from './device-code.ts';
export {
  backedOff,
  deviceAuthorizationRequest,
  deviceTokenRequest,
  readDeviceAuthorization,
  readDeviceToken,
} from './device-code.ts';
export type { DomainOf, ServerMetadata } from './discovery.ts';
export { discoverIssuerAt, discoverResource, discoverServer } from './discovery.ts';
export type { Fetch, Reply } from './endpoint.ts';
export { fetchDocument } from './endpoint.ts';
export { printable } from './provider-text.ts';
export type { PushedAuthorizationResult } from './pushed-authorization.ts';
export {
  pushedAuthorizationRequest,
  pushedAuthorizationUrl,
  readPushedAuthorizationResponse,
} from './pushed-authorization.ts';
export { readRefreshResponse, refreshRequest } from './refresh.ts';
export {
  mayBeRefusedForRedirectUri,
  mayBeRefusedForScopes,
  readRegistration,
  registrationRequest,
} from './registration.ts';
export type { RevocationOutcome } from './revocation.ts';
export { revokeTokens } from './revocation.ts';
export type { ClientCredentials, TokenSet } from './token.ts';
export type { TokenEndpoint } from './token-request.ts';
export { isToken, parseBody, readTokenResponse } from './token-response.ts';
export { rememberWaits, type Waits } from './waits.ts';
