import { readFileSync } from 'node:fs';
import type { Environment } from '../environment.ts';
import {
  certificatesOf,
  createDialer,
  type Dialer,
  type Fetch,
  outboundFetch,
  type ProxyRules,
  parseProxyEnvironment,
} from '../network/index.ts';
import type { Settings } from '../settings.ts';

/** One file with further roots, and how many certificates it gave. */
export interface ExtraRoots {
  readonly path: string;
  readonly count: number;
}

export interface Outbound {
  readonly dialer: Dialer;
  readonly proxies: ProxyRules;
  readonly extraRoots: readonly ExtraRoots[];
  readonly fetchFor: (options: { readonly publicOnly: boolean }) => Fetch;
}

/** How the daemon connects to the internet, as the settings and the environment have it. */
export function createOutbound(settings: Settings, environment: Environment): Outbound {
  const proxies = parseProxyEnvironment(environment);
  // More than one variable may name the same bundle.
  const files = [...new Set(settings.extraCaFiles)].map((path) => ({ path, pem: readText(path) }));
  const dialer = createDialer({
    overrides: settings.resolveOverrides,
    extraRoots: files.map(({ pem }) => pem),
    proxies,
  });
  const publicFetch = outboundFetch(dialer, { publicOnly: true });
  const anyFetch = outboundFetch(dialer, { publicOnly: false });
  return {
    dialer,
    proxies,
    extraRoots: files.map(({ path, pem }) => ({ path, count: certificatesOf(pem).length })),
    fetchFor: ({ publicOnly }) => (publicOnly ? publicFetch : anyFetch),
  };
}

/** The text of a file; empty when it cannot be read, which `doctor` reports. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
