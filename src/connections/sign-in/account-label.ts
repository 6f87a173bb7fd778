import { type Fetch, fetchDocument, parseBody, printable } from '../../oauth/index.ts';
import type { Provider } from '../../providers/index.ts';

/**
 * Whose account was signed in to, where the definition says how to find out: a label such as `octocat`. `undefined`
 * when it does not, or when the service does not respond: a sign-in never fails because a label is missing.
 */
export async function accountLabel(
  fetch: Fetch,
  provider: Provider,
  accessToken: string,
): Promise<string | undefined> {
  const account = provider.oauth?.account;
  if (account === undefined) return undefined;
  try {
    const reply = await fetchDocument(fetch, account.url, 'account URL', {
      headers: { authorization: `Bearer ${accessToken}`, 'user-agent': 'authsome' },
    });
    if (reply.status !== 200) return undefined;
    const value = valueAt(parseBody(reply), account.field);
    return printable(typeof value === 'number' ? String(value) : value, [accessToken], 100);
  } catch {
    return undefined;
  }
}

/** The value at a dotted path of own properties. */
function valueAt(document: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Readonly<Record<string, unknown>>)[key];
  }, document);
}
