/**
 * The command lines that a person is told to run. They are made to be pasted into a shell: whole, so that they do what
 * the words around them promise, and quoted, because parts of them can be another's words.
 */

/** What a sign-in is for. What is left out, or is the usual, has no place on the line. */
export interface SignInTarget {
  readonly provider: string;
  readonly connection?: string | undefined;
  /** Only where it is not the definition's own. */
  readonly flow?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly force?: boolean | undefined;
}

/** The `authsome login …` that signs in to exactly this target. */
export function signInLine(target: SignInTarget): string {
  const { provider, connection, flow, baseUrl, scopes, force } = target;
  const parts = ['authsome login', shellWord(provider)];
  if (connection !== undefined && connection !== 'default') parts.push('--connection', shellWord(connection));
  if (flow !== undefined) parts.push('--flow', shellWord(flow));
  if (baseUrl !== undefined) parts.push('--base-url', shellWord(baseUrl));
  if (scopes !== undefined && scopes.length > 0) parts.push('--scopes', quotedList(scopes));
  if (force === true) parts.push('--force');
  return parts.join(' ');
}

/** `text` as one word for a POSIX shell, quoted only where it needs to be. */
export function shellWord(text: string): string {
  return isPlain(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function quotedList(scopes: readonly string[]): string {
  const list = scopes.join(',');
  return isPlain(list) ? `"${list}"` : shellWord(list);
}

function isPlain(text: string): boolean {
  return /^[\w@%+=:,./-]+$/.test(text);
}
