import { describe, expect, it } from 'vitest';
import { compileInjection } from './injection.ts';

const target = { method: 'GET', path: '/', query: '', host: 'a.test' };

const basic = (secretAs: 'password' | 'username' | 'pair', secret: string): string | undefined => {
  const injection = compileInjection([{ kind: 'basic', username: 'git', secretAs }], secret);
  const encoded = /^Authorization: Basic (\S+)\r\n$/.exec(injection?.fieldsFor(target).lines ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
};

describe('basic placement', () => {
  it('puts the secret where the definition says', () => {
    expect(basic('password', 's:3cret')).toBe('git:s:3cret');
    expect(basic('username', 's3cret')).toBe('s3cret:');
    expect(basic('pair', 'AC1:s:3cret')).toBe('AC1:s:3cret');
  });

  it('has no place for a pair without a colon, or a user name with one', () => {
    expect(basic('pair', 's3cret')).toBeUndefined();
    expect(basic('username', 's:3cret')).toBeUndefined();
  });
});
