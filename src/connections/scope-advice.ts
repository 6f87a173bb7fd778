import { missingScopes, type ScopeFields } from '../oauth/index.ts';
import type { ProviderCatalog } from './contract.ts';
import { connectionKey } from './names.ts';
import type { Connection } from './records/index.ts';
import { connectionLine } from './sign-in-command.ts';

/** What a service's refusal says about the scopes of a connection, and what can be done. Contains no secret. */
export interface ScopeAdvice {
  readonly provider: string;
  readonly connection: string;
  readonly missing: readonly string[];
  /** One sentence. */
  readonly detail: string;
  /** The command that fixes it, or why none would. */
  readonly hint: string;
}

/** The advice for a response to a request with a connection's credential; `undefined` when it names no scope. */
export function scopeAdvice(
  catalog: ProviderCatalog,
  connection: Pick<Connection, 'provider' | 'name' | 'authType' | 'flow' | 'baseUrl' | 'scopes'>,
  response: ScopeFields,
): ScopeAdvice | undefined {
  const wanted = missingScopes(response);
  if (wanted.length === 0) return undefined;
  const { provider, name, scopes: granted } = connection;
  const key = connectionKey(provider, name);
  const about = { provider, connection: name };
  // A key has what it was made with.
  if (connection.authType === 'api_key') {
    return {
      ...about,
      missing: wanted,
      detail: `the key for ${key} is not allowed to do this; it needs: ${wanted.join(' ')}`,
      hint: `Create a key at ${provider} with these scopes, then run: ${connectionLine(catalog, connection)}`,
    };
  }
  const missing = wanted.filter((scope) => !granted.includes(scope));
  // A service that asks for what it gave would ask forever.
  if (missing.length === 0) {
    return {
      ...about,
      missing: wanted,
      detail: `${provider} asks for a scope that ${key} already has: ${wanted.join(' ')}`,
      hint: 'The scope was granted, so signing in again would not help. The account itself may lack permission.',
    };
  }
  const union = { scopes: [...granted, ...missing], force: true };
  return {
    ...about,
    missing,
    detail: `${key} lacks a scope that this needs: ${missing.join(' ')}`,
    hint: `Run: ${connectionLine(catalog, connection, union)}`,
  };
}
