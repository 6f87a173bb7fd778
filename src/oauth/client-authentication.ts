import type { ClientCredentials } from './token.ts';

export type AuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/** The method to use: what the definition says, `none` without a secret, else basic (RFC 6749 §2.3.1). */
function authMethodFor(client: ClientCredentials, wanted: AuthMethod | undefined): AuthMethod {
  if (client.clientSecret === undefined) return 'none';
  return wanted ?? 'client_secret_basic';
}

/** Adds the client's authentication to `form`; returns the headers to send with it (RFC 6749 §2.3.1). */
export function authenticateClient(
  form: URLSearchParams,
  client: ClientCredentials,
  wanted: AuthMethod | undefined,
): Readonly<Record<string, string>> {
  const method = authMethodFor(client, wanted);
  if (method === 'client_secret_basic' && client.clientSecret !== undefined) {
    return { authorization: `Basic ${basicCredentials(client.clientId, client.clientSecret)}` };
  }
  form.set('client_id', client.clientId);
  if (method === 'client_secret_post' && client.clientSecret !== undefined) {
    form.set('client_secret', client.clientSecret);
  }
  return {};
}

/** Every spelling of the client's secret that may have been sent: none may come back inside an error text. */
export function clientSecrets(client: ClientCredentials): readonly string[] {
  const { clientId, clientSecret } = client;
  if (clientSecret === undefined) return [];
  return [clientSecret, formEncoded(clientSecret), basicCredentials(clientId, clientSecret)];
}

function basicCredentials(clientId: string, clientSecret: string): string {
  return Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64');
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
