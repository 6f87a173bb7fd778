import { hosts } from './service.ts';

/** An OAuth 2 service with PKCE, as a person would register it. */
export const acme = {
  schema_version: 1,
  name: 'acme',
  display_name: 'Acme',
  auth_type: 'oauth2',
  flow: 'pkce',
  api_url: `https://${hosts.api}`,
  oauth: {
    authorization_url: `https://${hosts.login}/authorize`,
    token_url: `https://${hosts.login}/token`,
    revocation_url: `https://${hosts.login}/revoke`,
    scopes: ['read', 'write'],
    pkce: true,
    token_endpoint_auth_method: 'client_secret_basic',
  },
  export: { env: { access_token: 'ACME_TOKEN' } },
} as const;

/** A service with plain keys in a header of its own. */
export const pixel = {
  schema_version: 1,
  name: 'pixel',
  display_name: 'Pixel',
  auth_type: 'api_key',
  flow: 'api_key',
  api_url: `https://${hosts.keyApi}`,
  api_key: {
    header_name: 'X-API-Key',
    header_prefix: '',
    env_var: 'PIXEL_API_KEY',
    key_pattern: '^px_[a-z0-9]{32}$',
    key_pattern_hint: 'px_ and 32 letters or digits',
  },
  export: { env: { api_key: 'PIXEL_API_KEY' } },
} as const;
