import { describe, expect, it } from 'vitest';
import { overridesFor } from './overrides.ts';

const certificates = (count: number): string => '-----BEGIN CERTIFICATE-----\nx\n'.repeat(count);
const routed = (...hosts: readonly string[]) => ({
  routes: hosts.map(() => ({}) as never),
  hasHost: (host: string, port: number) => hosts.includes(host) && port === 443,
});

describe('the overrides of a run', () => {
  it('are addresses of its own hosts, and roots besides the system’s, which are read once', async () => {
    const read: string[] = [];
    const of = async (path: string): Promise<string> => {
      read.push(path);
      return path === '/system.pem' ? '' : certificates(2);
    };
    const resolved = [
      { host: 'api.example', port: 443 },
      { host: 'other.example', port: 443 },
      { host: 'api.example', port: 8443 },
    ];
    const overridesOf = overridesFor(
      { resolved, extraRootFiles: ['/a.pem', '/a.pem', '/system.pem'] },
      { of },
    );
    expect(await overridesOf(routed('api.example'))).toEqual({
      resolvedHosts: ['api.example'],
      extraRoots: 2,
    });
    expect(await overridesOf(routed('third.example'))).toEqual({ resolvedHosts: [], extraRoots: 2 });
    expect(read).toEqual(['/a.pem', '/system.pem']);
  });

  it('are none for a run without a route, and where nothing was set', async () => {
    const of = async (): Promise<string> => certificates(1);
    expect(
      await overridesFor({ resolved: [], extraRootFiles: ['/a.pem'] }, { of })(routed()),
    ).toBeUndefined();
    const none = overridesFor({ resolved: [], extraRootFiles: [] }, { of });
    expect(await none(routed('api.example'))).toBeUndefined();
  });
});
