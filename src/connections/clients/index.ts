/**
 * The OAuth client of a provider: entered by a person, given by the environment, or registered (RFC 7591), and how it
 * proves itself at a token endpoint.
 */
export { authMethodFor, parseClient } from './entered-client.ts';
export { redirectUriFor, redirectUriOf } from './redirect-uri.ts';
export { refusedAgain, registeredClient, reregisteredClient } from './registered-client.ts';
export { clientHint, tokenEndpoint } from './token-endpoint.ts';
