import type { RouteTable } from '../../providers/index.ts';
import { type Refusal, refuse } from './decision.ts';

/** Why a request passes without a credential, where no route covers its host. */
export const unrouted = {
  https: 'no route covers this host',
  plain: 'no route covers this host; plain HTTP is passed on unchanged',
} as const;

/** The refusal of plain HTTP to a host of the routes, on any port: a credential never goes over it. */
export function plainToRoute(
  routes: Pick<RouteTable, 'routes' | 'hasHost'>,
  host: string,
): Refusal | undefined {
  const isRouted =
    routes.hasHost(host, 443) || routes.routes.some((route) => routes.hasHost(host, route.pattern.port));
  return isRouted ? refuse('PlainHttpRefused', `${host} has a credential attached; use https`) : undefined;
}
