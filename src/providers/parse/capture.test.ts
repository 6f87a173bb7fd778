import { describe, expect, it } from 'vitest';
import { asksOf } from '../asks.ts';
import { parseProvider } from './definition.ts';
import { unknownFields } from './unknown-fields.ts';

const capture = {
  token_endpoints: [{ url: 'https://login.acme.example/oauth/token', request: ['form', 'json'] }],
  revocation_endpoints: [{ url: 'https://login.acme.example/oauth/revoke' }],
  refused_endpoints: [{ url: 'https://api.acme.example/keys' }],
  secrets: {
    access_token: {},
    refresh_token: {},
    id_token: { shape: 'jwt', claims: ['email', 'https://acme.example/auth'] },
  },
};
const definition = (changes: object = {}): Record<string, unknown> => ({
  name: 'acme-agent',
  auth_type: 'oauth2',
  api_url: 'api.acme.example',
  oauth: {
    authorization_url: 'https://login.acme.example/authorize',
    token_url: 'https://login.acme.example/oauth/token',
  },
  capture: { ...capture, ...changes },
});
const parsed = (changes?: object) => parseProvider(definition(changes), 'bundled').capture;

describe('the capture block of a definition', () => {
  it('says which endpoints, which fields are secret, and how a refresh looks', () => {
    expect(parsed()).toMatchObject({
      tokenEndpoints: [
        {
          url: 'https://login.acme.example/oauth/token',
          pattern: { kind: 'exact', host: 'login.acme.example', port: 443, pathPrefix: '/oauth/token' },
          requests: ['form', 'json'],
        },
      ],
      refusedEndpoints: [{ pattern: { host: 'api.acme.example', pathPrefix: '/keys' } }],
      revocationEndpoints: [{ requests: ['form'], pattern: { pathPrefix: '/oauth/revoke' } }],
      secrets: [
        { field: 'access_token', role: 'access_token', shape: 'opaque', claims: [] },
        { field: 'refresh_token', role: 'refresh_token', shape: 'opaque', claims: [] },
        { field: 'id_token', role: undefined, shape: 'jwt', claims: ['email', 'https://acme.example/auth'] },
      ],
      refresh: { grantType: 'refresh_token', field: 'refresh_token' },
    });
  });

  it('may name the fields otherwise', () => {
    const secrets = { accessToken: { role: 'access_token' }, refreshToken: { role: 'refresh_token' } };
    const refresh = { grant_type: 'refresh', field: 'refreshToken' };
    expect(parsed({ secrets, refresh })).toMatchObject({
      secrets: [
        { field: 'accessToken', role: 'access_token' },
        { field: 'refreshToken', role: 'refresh_token' },
      ],
      refresh: { grantType: 'refresh', field: 'refreshToken' },
    });
  });

  it.each([
    [{ token_endpoints: null }, '/capture/token_endpoints: must name at least one endpoint'],
    [{ token_endpoints: [{ url: 'http://login.acme.example/t' }] }, '/capture/token_endpoints/0/url'],
    [{ token_endpoints: [{ url: 'https://login.acme.example' }] }, 'must have a path'],
    [{ token_endpoints: [{ url: 'https://127.0.0.1/token' }] }, 'is on this machine'],
    [
      { token_endpoints: [{ url: 'https://a.example/t', request: 'xml' }] },
      '/capture/token_endpoints/0/request: must be json or form',
    ],
    [
      { revocation_endpoints: [{ url: 'https://login.acme.example/oauth/token' }] },
      'must not name https://login.acme.example/oauth/token twice',
    ],
    [{ secrets: null }, '/capture/secrets: must name the fields that are secret'],
    [{ secrets: { refresh_token: {} } }, 'must say which field is the access_token'],
    [{ secrets: { access_token: {}, token: { role: 'access_token' } } }, 'must have one access_token only'],
    [{ secrets: { access_token: { claims: ['sub'] } } }, 'are for the shape jwt only'],
    [{ secrets: { 'a\nb': {} } }, 'must be a field name'],
    [{ refresh: { field: '/x' } }, '/capture/refresh/field'],
  ])('refuses %j', (changes, sentence) => {
    expect(() => parsed(changes)).toThrow(sentence);
  });

  it('is for sign-ins by OAuth only', () => {
    const document = { ...definition(), auth_type: 'api_key', oauth: undefined };
    expect(() => parseProvider(document, 'bundled')).toThrow('/capture: is for auth_type oauth2 only');
  });

  it('is part of what a definition asks for', () => {
    const { endpoints } = asksOf(parseProvider(definition(), 'custom'));
    expect(endpoints.filter(({ name }) => name === 'capture').map(({ url }) => url)).toEqual([
      'https://login.acme.example/oauth/token',
      'https://login.acme.example/oauth/revoke',
      'https://api.acme.example/keys',
    ]);
  });

  it('has fields that are known', () => {
    expect(unknownFields(definition())).toEqual([]);
    expect(unknownFields(definition({ secret: {} }))).toEqual([
      { pointer: '/capture/secret', meant: 'secrets' },
    ]);
  });
});
