/**
 * Ends grants: revokes tokens at the provider (RFC 7009) and clears them here, on request or after a new sign-in.
 */
export { revokeReplaced } from './replaced-grant.ts';
export {
  forgetRevoked,
  logoutConnection,
  nothingToEnd,
  type RevocationContext,
  revokeProvider,
} from './revocations.ts';
