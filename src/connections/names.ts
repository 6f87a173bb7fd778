import { AuthsomeError } from '../errors.ts';

/** `name`, when it can name a connection; otherwise a Usage error. */
export function connectionName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new AuthsomeError('Usage', 'invalid connection name', {
    hint: 'Use up to 64 letters, digits, dots, dashes and underscores, starting with a letter or digit.',
  });
}

/** `scope`, when it can name a scope (RFC 6749 §3.3); otherwise a Usage error. */
export function scopeName(scope: string): string {
  if (/^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/.test(scope)) return scope;
  throw new AuthsomeError('Usage', 'invalid scope name', {
    hint: 'Separate scopes with commas only: --scopes "<scope1>,<scope2>"',
  });
}

/** The key under which everything else knows a connection. */
export function connectionKey(provider: string, connection: string): string {
  return `${provider}/${connection}`;
}

/** The two parts of a connection's key. */
export function splitConnectionKey(key: string): { readonly provider: string; readonly connection: string } {
  const slash = key.indexOf('/');
  if (slash <= 0) throw new TypeError('not a connection key');
  return { provider: key.slice(0, slash), connection: key.slice(slash + 1) };
}
