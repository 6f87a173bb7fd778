import type { FlowName, OauthDefinition } from '../provider.ts';
import type { Fields } from './fields.ts';

/** The `oauth` block. `missingForFlow` says which of its endpoints a flow needs. */
export function parseOauth(fields: Fields, flow: FlowName, baseUrl: string | undefined): OauthDefinition {
  const deviceAuthorizationUrl = fields.url('device_authorization_url');
  const registrationEndpoint = fields.url('registration_endpoint');
  return {
    baseUrl,
    issuer: fields.url('issuer'),
    authorizationUrl: fields.url('authorization_url'),
    tokenUrl: fields.url('token_url'),
    revocationUrl: fields.url('revocation_url'),
    deviceAuthorizationUrl,
    registrationEndpoint,
    pushedAuthorizationUrl: fields.url('pushed_authorization_request_endpoint'),
    pushRequired: parsePushRequired(fields),
    scopes: parseScopes(fields),
    scopeSeparator:
      fields.text('scope_separator', { pattern: /^[ ,;+]$/, sentence: 'must be one of space , ; +' }) ?? ' ',
    scopeParameter: parseScopeParameter(fields),
    pkce: fields.flag('pkce', true),
    supportsDeviceCode: fields.flag(
      'supports_device_code',
      flow === 'device_code' || fields.has('device_authorization_url'),
    ),
    supportsDcr: fields.flag('supports_dcr', flow === 'dcr_pkce' || fields.has('registration_endpoint')),
    tokenEndpointAuthMethod: fields.oneOf('token_endpoint_auth_method', [
      'client_secret_basic',
      'client_secret_post',
      'none',
    ]),
    authorizationParams: parseParams(fields, 'authorization_params'),
    tokenParams: parseParams(fields, 'token_params'),
    tokenRequest: fields.oneOf('token_request', ['form', 'json']) ?? 'form',
    deviceTokenRequest: parseDeviceTokenRequest(fields),
    iss: fields.oneOf('iss', ['optional']),
    redirectHost: fields.oneOf('redirect_host', ['127.0.0.1', 'localhost']),
    resource: fields.url('resource'),
    account: parseAccount(fields.object('account')),
  };
}

/** `oauth2_form` is an older word for what RFC 8628 says. */
function parseDeviceTokenRequest(fields: Fields): OauthDefinition['deviceTokenRequest'] {
  const written = fields.oneOf('device_token_request', ['form', 'json', 'oauth2_form']) ?? 'form';
  return written === 'json' ? 'json' : 'form';
}

/** The missing field that keeps a flow from working with this definition; `undefined` when it can work. */
export function missingForFlow(
  flow: FlowName,
  oauth: Fields | undefined,
): { readonly key: string; readonly sentence: string } | undefined {
  const has = (key: string) => oauth?.has(key) === true;
  const needs = (key: string) => (has(key) ? undefined : { key, sentence: `is required for flow ${flow}` });
  if (flow === 'api_key' || has('issuer') || (flow === 'dcr_pkce' && has('resource'))) return undefined;
  if (flow === 'client_credentials') return needs('token_url');
  if (flow === 'device_code') return needs('device_authorization_url') ?? needs('token_url');
  const registration = flow === 'dcr_pkce' ? needs('registration_endpoint') : undefined;
  return needs('authorization_url') ?? needs('token_url') ?? registration;
}

/** An endpoint that the definition names is always used; one found by discovery only when required (RFC 9126 §5). */
function parsePushRequired(fields: Fields): boolean {
  const key = 'require_pushed_authorization_requests';
  const isNamed = fields.has('pushed_authorization_request_endpoint');
  const isRequired = fields.flag(key, isNamed);
  if (isRequired && !isNamed && !fields.has('issuer') && !fields.has('resource')) {
    fields.fault(key, 'needs pushed_authorization_request_endpoint beside it, or an issuer that names one');
  }
  return isRequired;
}

/** What the flows themselves send; a definition must not be able to replace the state, the challenge or the code. */
const ownedParams = new Set([
  'client_id',
  'client_secret',
  'code',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'grant_type',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
  'response_type',
  'scope',
  'state',
]);

function parseParams(fields: Fields, key: string): Readonly<Record<string, string>> {
  const params = fields.params(key);
  const owned = Object.keys(params).find((name) => ownedParams.has(name));
  if (owned !== undefined) fields.fault(key, `must not set ${owned}: sign-in sets it itself`);
  return params;
}

function parseScopeParameter(fields: Fields): string {
  const key = 'scope_parameter';
  const sentence = 'must be a parameter name of a-z and underscores';
  const name = fields.text(key, { pattern: /^[a-z_]+$/, sentence }) ?? 'scope';
  if (name !== 'scope' && ownedParams.has(name)) {
    fields.fault(key, `must not be ${name}: sign-in sets it itself`);
  }
  return name;
}

function parseScopes(fields: Fields): readonly string[] {
  return fields.texts('scopes').flatMap(({ text, pointer }) => {
    // RFC 6749 §3.3, with commas allowed for services that list scopes in one string.
    if (!/^[\x21\x23-\x5b\x5d-\x7e ]+$/.test(text))
      fields.faultAt(pointer, 'must be a scope of printable ASCII');
    return text.split(' ').filter((scope) => scope !== '');
  });
}

function parseAccount(fields: Fields | undefined): OauthDefinition['account'] {
  if (fields === undefined) return undefined;
  const field =
    fields.text('field', {
      pattern: /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
      sentence: 'must be a dotted path of names',
    }) ?? fields.fault('field', 'must say where in the response the label is');
  if (!fields.has('url')) fields.fault('url', 'must be an https URL');
  const url = fields.url('url');
  return url === undefined ? undefined : { url, field };
}
