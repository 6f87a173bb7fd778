/** A document that an authorization server or a service sends, and what it is read as. */
export interface DocumentInput {
  readonly kind: 'server' | 'resource' | 'token' | 'device' | 'registration';
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export const asked = 'https://mcp.acme.example';
const sibling = 'https://id.acme.example';
const json = (
  kind: DocumentInput['kind'],
  body: unknown,
  status = 200,
  contentType = 'application/json',
): DocumentInput => ({ kind, status, contentType, body: JSON.stringify(body) });

const endpoints = {
  authorization_endpoint: `${asked}/authorize`,
  token_endpoint: `${asked}/token`,
  revocation_endpoint: `${asked}/revoke`,
  device_authorization_endpoint: `${asked}/device`,
  registration_endpoint: `${asked}/register`,
  pushed_authorization_request_endpoint: `${asked}/par`,
};

/** Where the fuzzer starts from: what servers say when they mean it. */
export const corpus: readonly DocumentInput[] = [
  json('server', {
    issuer: asked,
    ...endpoints,
    scopes_supported: ['read'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_post'],
    authorization_response_iss_parameter_supported: true,
    require_pushed_authorization_requests: false,
  }),
  json('server', { issuer: sibling, ...endpoints }),
  json('server', { issuer: `${asked}/`, ...endpoints, token_endpoint: 'http://127.0.0.1:9600/token' }),
  json('resource', { resource: `${asked}/mcp`, authorization_servers: [sibling], scopes_supported: ['a'] }),
  json('token', {
    access_token: 'at-0123456789abcdef',
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: 'rt-0123456789abcdef',
    scope: 'read write',
  }),
  json('token', { ok: true, authed_user: { access_token: 'xoxp-0123456789', scope: 'a,b' } }),
  json('token', { access_token: 'at-0123456789abcdef', token_type: 'DPoP' }),
  json('token', { error: 'invalid_grant', error_description: 'The code is used up.' }, 400),
  json('token', { error: { code: 'use_dpop_nonce', message: 'DPoP' }, access_token: 'at-0123456789' }, 401),
  {
    kind: 'token',
    status: 200,
    contentType: 'application/x-www-form-urlencoded',
    body: 'access_token=gho_0123456789&scope=repo%2Cgist&token_type=bearer&expires_in=60',
  },
  { kind: 'token', status: 503, contentType: 'text/html', body: '<html>at-0123456789abcdef</html>' },
  json('device', {
    device_code: 'dc-0123456789abcdef',
    user_code: 'ABCD-EFGH',
    verification_uri: 'https://id.acme.example/device',
    verification_uri_complete: 'https://id.acme.example/device?code=ABCD-EFGH',
    expires_in: 600,
    interval: 5,
  }),
  json(
    'registration',
    {
      client_id: 'client-1',
      client_secret: 'cs-0123456789abcdef',
      client_secret_expires_at: 0,
      token_endpoint_auth_method: 'client_secret_post',
      registration_client_uri: 'https://id.acme.example/register/client-1',
      registration_access_token: 'rat-0123456789abcdef',
    },
    201,
  ),
  json('registration', { error: 'invalid_redirect_uri', error_description: 'No loopback.' }, 400),
];
