import { canonicalHost } from '../../providers/index.ts';

/** A host and port in the form that is compared, dialed and certified: lower case, no trailing dot, IPv6 in brackets. */
export interface Authority {
  readonly host: string;
  readonly port: number;
}

const portDigits = /^[0-9]{1,5}$/;

/** `host[:port]` in canonical form; `undefined` for anything else, such as user information. */
export function parseAuthority(text: string, defaultPort: number | undefined): Authority | undefined {
  const bracket = text.lastIndexOf(']');
  const colon = text.indexOf(':', bracket + 1);
  const name = colon === -1 ? text : text.slice(0, colon);
  // On the wire, an international name is already in punycode.
  const host = /^[\x21-\x7e]*$/.test(name) ? canonicalHost(name) : undefined;
  if (host === undefined) return undefined;
  if (colon === -1) return defaultPort === undefined ? undefined : { host, port: defaultPort };
  const digits = text.slice(colon + 1);
  if (digits === '' && defaultPort !== undefined) return { host, port: defaultPort };
  if (!portDigits.test(digits)) return undefined;
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** The `Host` value for an authority, without the scheme's default port. */
export function hostHeaderOf(authority: Authority, defaultPort: number): string {
  return authority.port === defaultPort ? authority.host : `${authority.host}:${authority.port}`;
}

/** A parsed request target (RFC 9112 §3.2). `path` has no query; `query` keeps its `?`. */
export type Target =
  | { readonly form: 'origin'; readonly path: string; readonly query: string }
  | {
      readonly form: 'absolute';
      readonly scheme: 'http' | 'https';
      readonly authority: Authority;
      readonly path: string;
      readonly query: string;
    }
  | { readonly form: 'authority'; readonly authority: Authority }
  | { readonly form: 'asterisk' };

/** The target of a request with this method; `undefined` if it has none of the four forms. */
export function parseTarget(method: string, target: string): Target | undefined {
  if (method === 'CONNECT') {
    const authority = parseAuthority(target, undefined);
    return authority === undefined ? undefined : { form: 'authority', authority };
  }
  if (target.charCodeAt(0) === 0x2f) {
    const { path, query } = splitQuery(target);
    return { form: 'origin', path, query };
  }
  if (target === '*') return method === 'OPTIONS' ? { form: 'asterisk' } : undefined;
  const scheme = /^(https?):\/\//i.exec(target)?.[1]?.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return undefined;
  const rest = target.slice(scheme.length + 3);
  const pathStart = rest.search(/[/?\\]/);
  const authorityText = pathStart === -1 ? rest : rest.slice(0, pathStart);
  const authority = parseAuthority(authorityText, scheme === 'https' ? 443 : 80);
  if (authority === undefined) return undefined;
  const tail = pathStart === -1 ? '' : rest.slice(pathStart);
  const { path, query } = splitQuery(tail.startsWith('/') ? tail : `/${tail}`);
  return { form: 'absolute', scheme, authority, path, query };
}

function splitQuery(text: string): { readonly path: string; readonly query: string } {
  const question = text.indexOf('?');
  if (question === -1) return { path: text, query: '' };
  return { path: text.slice(0, question), query: text.slice(question) };
}
