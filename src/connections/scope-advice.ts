import { missingScopes, type ScopeFields } from '../oauth/index.ts';
import { splitConnectionKey } from './names.ts';

/** What a service's refusal says about the scopes of a connection, and what can be done. Holds no secret. */
export interface ScopeAdvice {
  readonly provider: string;
  readonly connection: string;
  readonly missing: readonly string[];
  /** One sentence. */
  readonly detail: string;
  /** The command that mends it, or why none would. */
  readonly hint: string;
}

/** The scopes that a sign-in brought; a key has what it was made with. */
export type Granted = readonly string[] | 'key';

/** The advice for an answer to a request with a connection's credential; `undefined` when it names no scope. */
export function scopeAdvice(key: string, granted: Granted, answer: ScopeFields): ScopeAdvice | undefined {
  const wanted = missingScopes(answer);
  if (wanted.length === 0) return undefined;
  const { provider, connection } = splitConnectionKey(key);
  const named = connection === 'default' ? '' : ` --connection ${connection}`;
  const about = { provider, connection };
  if (granted === 'key') {
    return {
      ...about,
      missing: wanted,
      detail: `the key of ${key} may not do this; it would need: ${wanted.join(' ')}`,
      hint: `Make a key at ${provider} that may, then run: authsome login ${provider}${named} --force`,
    };
  }
  const missing = wanted.filter((scope) => !granted.includes(scope));
  // A service that asks for what it gave would ask for ever.
  if (missing.length === 0) {
    return {
      ...about,
      missing: wanted,
      detail: `${provider} wants a scope that ${key} has: ${wanted.join(' ')}`,
      hint: 'The scope was granted, so signing in again would not help: the account itself may lack the right.',
    };
  }
  const union = [...granted, ...missing].join(',');
  return {
    ...about,
    missing,
    detail: `${key} lacks a scope that this needs: ${missing.join(' ')}`,
    hint: `Run: authsome login ${provider}${named} --scopes "${union}" --force`,
  };
}
