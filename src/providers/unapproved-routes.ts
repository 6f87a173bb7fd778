import type { OneTable, Route } from './route.ts';

/**
 * Unapproved routes take nothing from the others. What none of the others covers is theirs, to be refused: passed on, it
 * would go to a host that nobody has looked at, with the phantom in it.
 */
export function withUnapproved(routes: readonly Route[], table: OneTable, unapproved: OneTable): OneTable {
  return {
    routes,
    hasHost: (host, port) => table.hasHost(host, port) || unapproved.hasHost(host, port),
    unapprovedAt: (host, port) =>
      table.hasHost(host, port) ? [] : unapproved.match(host, port, '/').considered,
    match(host, port, path) {
      const result = table.match(host, port, path);
      if (result.kind !== 'none') return result;
      const other = unapproved.match(host, port, path);
      switch (other.kind) {
        case 'none':
          return result;
        case 'route':
          return { kind: 'unapproved', routes: [other.route], considered: other.considered };
        case 'ambiguous':
          return { kind: 'unapproved', routes: other.routes, considered: other.considered };
        default:
          return other;
      }
    },
  };
}
