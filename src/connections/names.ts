import { AuthsomeError } from '../errors.ts';

/** `name`, when it can name a connection; otherwise a Usage error. */
export function connectionName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) return name;
  throw new AuthsomeError('Usage', 'that cannot be the name of a connection', {
    hint: 'Use letters, digits, dots, dashes and underscores, at most 64, beginning with a letter or digit.',
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
