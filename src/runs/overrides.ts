import type { RouteTable } from '../providers/index.ts';
import type { RunOverrides } from './contract.ts';
import type { Roots } from './roots.ts';

/** What the daemon was set to: addresses and roots that are not the network's own. */
export interface DaemonOverrides {
  readonly resolved: readonly { readonly host: string; readonly port: number }[];
  readonly extraRootFiles: readonly string[];
}

const certificate = /-----BEGIN CERTIFICATE-----/g;

/** Says of each run which overrides touch it. The files are read once. */
export function overridesFor({ resolved, extraRootFiles }: DaemonOverrides, roots: Pick<Roots, 'of'>) {
  let counting: Promise<number> | undefined;
  const count = async (): Promise<number> => {
    const texts = await Promise.all([...new Set(extraRootFiles)].map((path) => roots.of(path)));
    return texts.join('').match(certificate)?.length ?? 0;
  };
  return async (routes: Pick<RouteTable, 'routes' | 'hasHost'>): Promise<RunOverrides | undefined> => {
    // Without a route there is no credential to divert.
    if (routes.routes.length === 0) return undefined;
    counting ??= count();
    const extraRoots = await counting;
    const touched = resolved.filter(({ host, port }) => routes.hasHost(host, port)).map(({ host }) => host);
    if (touched.length === 0 && extraRoots === 0) return undefined;
    return { resolvedHosts: [...new Set(touched)], extraRoots };
  };
}
