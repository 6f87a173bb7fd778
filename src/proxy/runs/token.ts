import { createHash, timingSafeEqual } from 'node:crypto';

/** The user name in every run's proxy URL. The token tells runs apart. */
const userName = 'run';
const maxCredentialsBytes = 512;

function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The token in a `Proxy-Authorization` value (RFC 7617); `undefined` unless it is `Basic` with our user name. */
function tokenFrom(proxyAuthorization: string): string | undefined {
  if (proxyAuthorization.length > maxCredentialsBytes) return undefined;
  const encoded = /^basic[ ]+([A-Za-z0-9+/_-]+={0,2})$/i.exec(proxyAuthorization)?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, 'base64').toString('latin1');
  return pair.startsWith(`${userName}:`) ? pair.slice(userName.length + 1) : undefined;
}

export function proxyUrl(host: string, port: number, token: string): string {
  return `http://${userName}:${token}@${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Live runs by token digest. The lookup reveals nothing about a token, and the final comparison is constant-time. */
export class TokenRegistry<Run> {
  readonly #runs = new Map<string, { readonly digest: Buffer; readonly run: Run }>();

  add(token: string, run: Run): void {
    const digest = tokenDigest(token);
    this.#runs.set(digest.toString('latin1'), { digest, run });
  }

  remove(token: string): void {
    this.#runs.delete(tokenDigest(token).toString('latin1'));
  }

  find(proxyAuthorization: string | undefined): Run | undefined {
    const token = proxyAuthorization === undefined ? undefined : tokenFrom(proxyAuthorization);
    if (token === undefined) return undefined;
    const digest = tokenDigest(token);
    const entry = this.#runs.get(digest.toString('latin1'));
    return entry !== undefined && timingSafeEqual(entry.digest, digest) ? entry.run : undefined;
  }
}
