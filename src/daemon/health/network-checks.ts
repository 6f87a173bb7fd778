import type { ProxyRules } from '../../network/index.ts';
import type { Settings } from '../../settings.ts';
import type { ExtraRoots } from '../outbound.ts';
import { type Check, check, ok } from './checks.ts';

export interface NetworkChecksOptions {
  readonly settings: Settings;
  readonly extraRoots: readonly ExtraRoots[];
  readonly proxies: ProxyRules;
}

/** What the environment changes about outbound connections. */
export function networkChecks({ settings, extraRoots, proxies }: NetworkChecksOptions): readonly Check[] {
  return [
    check('roots', () => {
      const bad = extraRoots.find(({ count }) => count === 0);
      if (bad !== undefined) {
        const message = `no certificate can be read from ${bad.path}`;
        return { status: 'fail', message, fix: 'Unset the variable that names it, or fix the file.' };
      }
      return ok(
        extraRoots.length === 0
          ? 'no extra root certificates'
          : extraRoots.map(({ path, count }) => `${count} extra root certificates from ${path}`).join('; '),
      );
    }),
    check('resolve', () => {
      const overrides = settings.resolveOverrides.map(
        ({ host, port, address, targetPort }) => `${host}:${port} → ${address}:${targetPort}`,
      );
      return overrides.length === 0
        ? ok('no name overrides')
        : { status: 'warn', message: `AUTHSOME_RESOLVE is set: ${overrides.join(', ')}` };
    }),
    check('proxy', () => {
      const upstream = proxies.https ?? proxies.http;
      return ok(
        upstream === undefined
          ? 'upstream connections are direct'
          : `upstream connections go through ${upstream.protocol}://${upstream.host}:${upstream.port}`,
      );
    }),
  ];
}
