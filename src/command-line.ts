/**
 * The command lines that hints tell a person to run. They can be pasted into a shell: complete, so that they do what the
 * hint says, and quoted, because a server or a file may have chosen parts of them.
 */

/** The target of a sign-in. Absent fields and defaults do not appear on the line. */
export interface SignInTarget {
  readonly provider: string;
  readonly connection?: string | undefined;
  /** Only where it differs from the definition's own. */
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

/** The command with which a person lets a connection's credential go to the hosts that its definition has gained. */
export function approveHostsLine(of: { readonly provider: string; readonly connection: string }): string {
  const { provider, connection } = of;
  const named = connection === 'default' ? provider : `${provider}/${connection}`;
  return `authsome connections approve-hosts ${shellWord(named)}`;
}

/** The hint for what only a person may do: the agent that reads it has to ask. */
export function askPerson(command: string): string {
  return `Ask the person you work for to run this in a terminal of their own: ${command}`;
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
