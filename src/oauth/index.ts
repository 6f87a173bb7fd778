/**
 * The OAuth client: one file per flow. Requests are sent with a `fetch` that arrives as an argument; responses
 * are judged by pure functions. It knows no store, no provider catalog and no user.
 */
export type { ClientCredentials, TokenSet } from './token.ts';
