import type { ClientCredentials } from './token.ts';

export type AuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/** The method to use: what the definition says, `none` without a secret, else basic (RFC 6749 §2.3.1). */
export function authMethodFor(client: ClientCredentials, wanted: AuthMethod | undefined): AuthMethod {
  if (client.clientSecret === undefined) return 'none';
  return wanted ?? 'client_secret_basic';
}

/** Adds what proves who we are to `form`; returns the headers to send with it (RFC 6749 §2.3.1). */
export function authenticateClient(
  form: URLSearchParams,
  client: ClientCredentials,
  wanted: AuthMethod | undefined,
): Readonly<Record<string, string>> {
  const method = authMethodFor(client, wanted);
  if (method === 'client_secret_basic' && client.clientSecret !== undefined) {
    const pair = `${formEncoded(client.clientId)}:${formEncoded(client.clientSecret)}`;
    return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }
  form.set('client_id', client.clientId);
  if (method === 'client_secret_post' && client.clientSecret !== undefined) {
    form.set('client_secret', client.clientSecret);
  }
  return {};
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
