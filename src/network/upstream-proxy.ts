import { isIP } from 'node:net';
import type { Environment } from '../environment.ts';
import { AuthsomeError } from '../errors.ts';
import { isLoopbackName } from '../loopback.ts';
import { parseAddress, sharesPrefix } from './address.ts';

/** A proxy between this machine and the internet. */
export interface UpstreamProxy {
  readonly protocol: 'http' | 'https' | 'socks5' | 'socks5h';
  readonly host: string;
  readonly port: number;
  /** A function, so that printing or serializing the proxy cannot show what it returns. */
  readonly credentials: (() => ProxyCredentials) | undefined;
}

export interface ProxyCredentials {
  readonly username: string;
  readonly password: string;
}

/** What the environment says about proxies, read once. */
export interface ProxyRules {
  /** For plain HTTP's own port, and for every other. */
  readonly http: UpstreamProxy | undefined;
  readonly https: UpstreamProxy | undefined;
  readonly bypass: readonly Bypass[];
}

interface Bypass {
  readonly matches: (host: string, address: Uint8Array | undefined) => boolean;
  readonly port: number | undefined;
}

const defaultPorts = { http: 80, https: 443, socks5: 1080, socks5h: 1080 } as const;

/**
 * The proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name, in either case, lower first. Throws
 * `Usage` for one that cannot be read; the error names the variable, never its value.
 */
export function parseProxyEnvironment(env: Environment): ProxyRules {
  const proxyIn = (name: string): UpstreamProxy | undefined => {
    const value = env[name.toLowerCase()] || env[name];
    return value === undefined || value === '' ? undefined : parseProxyUrl(value, name);
  };
  const all = proxyIn('ALL_PROXY');
  return {
    http: proxyIn('HTTP_PROXY') ?? all,
    https: proxyIn('HTTPS_PROXY') ?? all,
    bypass: parseNoProxy(env.no_proxy || env.NO_PROXY || ''),
  };
}

function parseProxyUrl(text: string, variable: string): UpstreamProxy {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  const protocol = url?.protocol.slice(0, -1);
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? '';
  const isKnown =
    protocol === 'http' || protocol === 'https' || protocol === 'socks5' || protocol === 'socks5h';
  if (url === undefined || !isKnown || host === '') {
    throw new AuthsomeError('Usage', `${variable} does not name a proxy that authsome can use`, {
      hint: 'Write it as http://host:port, https://host:port, socks5://host:port or socks5h://host:port.',
    });
  }
  const username = decoded(url.username, variable);
  const password = decoded(url.password, variable);
  return {
    protocol,
    host,
    port: url.port === '' ? defaultPorts[protocol] : Number(url.port),
    credentials: username === '' && password === '' ? undefined : () => ({ username, password }),
  };
}

function decoded(part: string, variable: string): string {
  try {
    const text = decodeURIComponent(part);
    if (!/[\x00-\x1f\x7f]/.test(text)) return text;
  } catch {
    // Reported below, without the value.
  }
  throw new AuthsomeError('Usage', `${variable} contains a user name or password that cannot be read`, {
    hint: 'Percent-encode its special characters.',
  });
}

/**
 * `*`, names (with everything below them, leading dot or not), addresses and CIDR blocks, each with a port if it is for
 * that port alone; separated by commas or spaces. These are the rules of curl and Go, for the daemon's own connections.
 * A run's child follows those of undici instead (`cli/run/agent-tunnel`), so that its agents and its `fetch` agree.
 */
function parseNoProxy(text: string): readonly Bypass[] {
  return text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map(parseBypass);
}

function parseBypass(entry: string): Bypass {
  if (entry === '*') return { matches: () => true, port: undefined };
  const [, network = '', bits = ''] = /^\[?([0-9a-f.:]+)\]?\/(\d{1,3})$/.exec(entry) ?? [];
  const prefix = parseAddress(network);
  if (prefix !== undefined) {
    return {
      matches: (_host, address) => address !== undefined && sharesPrefix(address, prefix, Number(bits)),
      port: undefined,
    };
  }
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f.:]+)\]|([^:]+|.*:.*:.*?))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const isBareIpv6 = isIP(entry) === 6;
  const host = isBareIpv6 ? entry : (bracketed ?? plain ?? entry);
  const onlyPort = isBareIpv6 || port === undefined ? undefined : Number(port);
  const exact = parseAddress(host);
  if (exact !== undefined) {
    return {
      matches: (_host, address) => address !== undefined && sharesPrefix(address, exact, exact.length * 8),
      port: onlyPort,
    };
  }
  const name = host.replace(/^\*?\.+/, '').replace(/\.$/, '');
  return { matches: (asked) => asked === name || asked.endsWith(`.${name}`), port: onlyPort };
}

/** The proxy to use for a host in lower case; `undefined` to connect directly, as always to loopback. */
export function proxyFor(rules: ProxyRules, host: string, port: number): UpstreamProxy | undefined {
  const proxy = port === 80 ? rules.http : rules.https;
  if (proxy === undefined || isLoopbackName(host)) return undefined;
  const address = parseAddress(host);
  const isBypassed = rules.bypass.some(
    (bypass) => (bypass.port === undefined || bypass.port === port) && bypass.matches(host, address),
  );
  return isBypassed ? undefined : proxy;
}
