import { describe, expect, test } from 'vitest';
import { scopeAdvice } from './scope-advice.ts';

const refusal = (scope: string) => ({
  status: 403,
  challenge: `Bearer error="insufficient_scope", scope="${scope}"`,
});

describe('advice on scopes', () => {
  test('asks for what is missing beside what was granted before', () => {
    expect(scopeAdvice('github/default', ['repo', 'gist'], refusal('read:org repo'))).toEqual({
      provider: 'github',
      connection: 'default',
      missing: ['read:org'],
      detail: 'github/default lacks a scope that this needs: read:org',
      hint: 'Run: authsome login github --scopes "repo,gist,read:org" --force',
    });
    expect(scopeAdvice('github/work', [], refusal('read:org'))?.hint).toBe(
      'Run: authsome login github --connection work --scopes "read:org" --force',
    );
  });

  test('does not send a person round in circles', () => {
    const advice = scopeAdvice('github/default', ['admin'], refusal('admin'));
    expect(advice?.missing).toEqual(['admin']);
    expect(advice?.hint).not.toContain('authsome login');
  });

  test('of a key is to make another', () => {
    const answer = { status: 403, accepted: 'read:org', held: 'gist' };
    expect(scopeAdvice('github/default', 'key', answer)?.hint).toBe(
      'Make a key at github that may, then run: authsome login github --force',
    );
  });

  test('is not given where no scope is named', () => {
    expect(scopeAdvice('github/default', ['repo'], { status: 403 })).toBeUndefined();
    expect(scopeAdvice('github/default', ['repo'], { ...refusal('x'), status: 500 })).toBeUndefined();
  });
});
