/** What a program needs to pass for one browser: it keeps the cookies of each address, and follows redirects with them. */
import { request } from 'node:http';

export interface JarRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams;
}

export interface CookieJar {
  /** As `fetch`, over http only. Redirects within an origin are followed; one that leads elsewhere is the response. */
  fetch(url: string, init?: JarRequest): Promise<Response>;
  /** The `Cookie` header that it sends there. */
  cookies(url: string): string;
}

interface Cookie {
  readonly path: string;
  readonly pair: string;
}

export function createCookieJar(): CookieJar {
  const kept = new Map<string, Cookie>();

  const cookies = (url: string): string => {
    const { hostname, pathname } = new URL(url);
    return [...kept]
      .filter(([key, { path }]) => key.startsWith(`${hostname} `) && pathname.startsWith(path))
      .map(([, { pair }]) => pair)
      .join('; ');
  };

  const visit = async (url: string, init: JarRequest): Promise<Response> => {
    const own = cookies(url);
    const response = await send(url, {
      ...init,
      headers: { ...(own === '' ? {} : { cookie: own }), ...init.headers },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const path = attributes.find((attribute) => attribute.startsWith('Path='))?.slice(5) ?? '/';
      kept.set(`${new URL(url).hostname} ${path} ${pair.split('=', 1)[0]}`, { path, pair });
    }
    const location = response.headers.get('location');
    if (response.status !== 303 || location === null) return response;
    const next = new URL(location, url);
    return next.origin === new URL(url).origin ? visit(next.href, {}) : response;
  };

  return { fetch: (url, init = {}) => visit(url, init), cookies };
}

/** `fetch` itself says of each request that it is no navigation. */
function send(url: string, { method = 'GET', headers = {}, body }: JarRequest): Promise<Response> {
  const form = body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers: { ...form, ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer = new Headers();
        for (const [name, value = []] of Object.entries(response.headers))
          for (const each of [value].flat()) answer.append(name, each);
        const status = response.statusCode ?? 500;
        resolve(
          new Response([204, 304].includes(status) ? null : Buffer.concat(chunks), {
            status,
            headers: answer,
          }),
        );
      });
    });
    call.on('error', reject);
    call.end(body?.toString());
  });
}
