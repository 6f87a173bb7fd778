import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AuthsomeError } from '../../errors.ts';
import { isLoopbackAddress } from '../../loopback.ts';
import type { ProxyOptions } from '../contract.ts';
import type { Authority } from '../http1/index.ts';

interface Target {
  readonly authority: Authority;
  readonly allowPrivateAddress: boolean;
  readonly signal: AbortSignal;
}

/** Connects to upstreams, and never to the daemon's own ports. */
export interface UpstreamDialer {
  isOwn(authority: Authority): boolean;
  plain(target: Target): Promise<Socket>;
  tls(target: Target, alpn: readonly string[]): Promise<TLSSocket>;
}

/**
 * Dials through `options`, then checks the address that was reached: the daemon's own ports are closed to every run,
 * whatever name led there.
 */
export function createUpstreamDialer(
  options: ProxyOptions,
  own: () => readonly { readonly host: string; readonly port: number }[],
): UpstreamDialer {
  const isOwn = ({ host, port }: Authority): boolean =>
    own().some((target) => target.port === port && (target.host === host || `[${target.host}]` === host));

  const checked = <S extends Socket>(socket: S, authority: Authority): S => {
    const { remoteAddress = '', remotePort, localAddress } = socket;
    const isThisMachine = isLoopbackAddress(remoteAddress) || remoteAddress === localAddress;
    if (own().some(({ host, port }) => port === remotePort && (isThisMachine || host === remoteAddress))) {
      socket.destroy();
      throw forbidden(authority);
    }
    return socket;
  };

  const request = ({ authority, allowPrivateAddress, signal }: Target) => {
    if (isOwn(authority)) throw forbidden(authority);
    return { host: authority.host, port: authority.port, allowPrivateAddress, signal };
  };

  return {
    isOwn,
    plain: async (target) => checked(await options.connect(request(target)), target.authority),
    tls: async (target, alpn) =>
      checked(await options.connectTls({ ...request(target), alpn }), target.authority),
  };
}

export function forbidden({ host, port }: Authority): AuthsomeError {
  return new AuthsomeError('AddressForbidden', `${host}:${port} is authsome itself, which no run may reach`);
}
