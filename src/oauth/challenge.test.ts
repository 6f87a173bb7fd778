import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challengeParameters, missingScopes } from './challenge.ts';

describe('a challenge', () => {
  it('gives its parameters, quoted or not', () => {
    const parameters = challengeParameters(
      'Bearer realm="a, scope=wrong", error="insufficient_scope", scope="repo user:\\"x\\"" , max=7',
    );
    expect(parameters.get('error')).toBe('insufficient_scope');
    expect(parameters.get('max')).toBe('7');
    expect(parameters.get('scope')).toBe('repo user:"x"');
    expect(challengeParameters('Bearer').size).toBe(0);
  });

  it('among others is the one for a token', () => {
    const field = 'Basic realm="b", scope="basic", Bearer scope="ours", Digest scope="digest"';
    expect([...challengeParameters(field)]).toEqual([['scope', 'ours']]);
    expect(challengeParameters('Negotiate abc==, DPoP error="use_dpop_nonce"').get('error')).toBe(
      'use_dpop_nonce',
    );
    expect(challengeParameters('Basic scope="basic"').size).toBe(0);
  });

  it('of any shape is read without a throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        challengeParameters(text);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z:]{1,20}$/), fc.string(), (scope, realm) => {
        const quoted = realm.replace(/[\\"]/g, '\\$&');
        expect(challengeParameters(`Bearer realm="${quoted}", scope="${scope}"`).get('scope')).toBe(scope);
      }),
    );
  });
});

describe('the scopes that are missing', () => {
  const challenge = 'Bearer error="insufficient_scope", scope="files.read files.write"';

  it.each([401, 403])('are those of the challenge (RFC 6750 §3.1), with %s', (status) => {
    expect(missingScopes({ status, challenge })).toEqual(['files.read', 'files.write']);
  });

  it.each([
    ['any other error', { status: 401, challenge: 'Bearer error="invalid_token", scope="a"' }],
    ['any other status', { status: 200, challenge }],
    ['a challenge without a scope', { status: 403, challenge: 'Bearer error="insufficient_scope"' }],
    ['no challenge', { status: 403 }],
  ])('are none with %s', (_, response) => {
    expect(missingScopes(response)).toEqual([]);
  });

  it('are named by GitHub in fields of its own, unless the token has one that is enough', () => {
    const accepted = 'admin:org, read:org, repo';
    expect(missingScopes({ status: 403, accepted, held: 'gist' })).toEqual(['read:org']);
    expect(missingScopes({ status: 403, accepted: 'workflow', held: '' })).toEqual(['workflow']);
    expect(missingScopes({ status: 403, accepted, held: 'gist, repo' })).toEqual([]);
    expect(missingScopes({ status: 403, accepted: '', held: 'gist' })).toEqual([]);
    expect(missingScopes({ status: 403, accepted })).toEqual([]);
  });

  it('contain nothing that a shell or a terminal would take for something else', () => {
    const scope = 'ok $(reboot) `id` a;b \u001b[31m " https://api.example/auth/a.b';
    const hostile = `Bearer error="insufficient_scope", scope="${scope.replaceAll('"', '\\"')}"`;
    expect(missingScopes({ status: 403, challenge: hostile })).toEqual([
      'ok',
      'https://api.example/auth/a.b',
    ]);
  });
});
