import { describe, expect, it } from 'vitest';
import { scopeAdvice } from './scope-advice.ts';
import { oauthProvider, openFixture } from './testing/test-fixture.ts';

const refusal = (scope: string) => ({
  status: 403,
  challenge: `Bearer error="insufficient_scope", scope="${scope}"`,
});
const { catalog } = openFixture([oauthProvider()]).options;
const connection = {
  provider: 'acme',
  name: 'default',
  authType: 'oauth2',
  flow: 'pkce',
  baseUrl: undefined,
  scopes: [] as readonly string[],
} as const;

describe('advice on scopes', () => {
  it('asks for what is missing beside what was granted before', () => {
    const granted = { ...connection, scopes: ['repo', 'gist'] };
    expect(scopeAdvice(catalog, granted, refusal('read:org repo'))).toEqual({
      provider: 'acme',
      connection: 'default',
      missing: ['read:org'],
      detail: 'acme/default lacks a scope that this needs: read:org',
      hint: 'Run: authsome login acme --scopes "repo,gist,read:org" --force',
    });
  });

  it('leads to the connection, the server and the flow that the scope is missing from', () => {
    const elsewhere = {
      ...connection,
      name: 'work',
      flow: 'device_code',
      baseUrl: 'https://acme.example.com',
    } as const;
    expect(scopeAdvice(catalog, elsewhere, refusal('read:org'))?.hint).toBe(
      'Run: authsome login acme --connection work --flow device_code --base-url https://acme.example.com --scopes "read:org" --force',
    );
  });

  it('does not send a person round in circles', () => {
    const advice = scopeAdvice(catalog, { ...connection, scopes: ['admin'] }, refusal('admin'));
    expect(advice?.missing).toEqual(['admin']);
    expect(advice?.hint).not.toContain('authsome login');
  });

  it('of a key is to make another', () => {
    const response = { status: 403, accepted: 'read:org', held: 'gist' };
    expect(scopeAdvice(catalog, { ...connection, authType: 'api_key', name: 'ci' }, response)?.hint).toBe(
      'Create a key at acme with these scopes, then run: authsome login acme --connection ci --force',
    );
  });

  it('is not given where no scope is named', () => {
    const granted = { ...connection, scopes: ['repo'] };
    expect(scopeAdvice(catalog, granted, { status: 403 })).toBeUndefined();
    expect(scopeAdvice(catalog, granted, { ...refusal('x'), status: 500 })).toBeUndefined();
  });
});
