import type { DurablePhantoms } from '../phantoms/index.ts';
import type { ProgramPhantoms } from './contract.ts';

const refreshPart = 'refresh_token';

/** The phantoms that programs get which sign in by themselves: one for each token of their grant. */
export function programPhantoms(phantoms: DurablePhantoms): ProgramPhantoms {
  return {
    async ofAccessToken(connection) {
      await phantoms.require([connection]);
      const phantom = phantoms.newest(connection);
      if (phantom === undefined) throw new TypeError('a connection without a phantom');
      return phantom;
    },
    ofRefreshToken: (connection, secret) => phantoms.requirePart(connection, refreshPart, secret),
    find(value) {
      const found = phantoms.all().find((phantom) => phantom.value === value);
      if (found === undefined) return undefined;
      const { connection, part, isRetired } = found;
      return { connection, part: part === refreshPart ? refreshPart : 'access_token', isRetired };
    },
  };
}
