import { refreshRequest } from '../../../oauth/index.ts';
import type { GrantRefresh } from '../../credentials/index.ts';

/** A refresh that spends a refresh token (RFC 6749 §6). */
export const byRefreshToken: GrantRefresh = {
  isPossible: ({ refreshToken }) => refreshToken !== undefined,
  async request(fetch, { endpoint, secrets: { refreshToken } }) {
    if (refreshToken === undefined) throw new TypeError('a refresh without its token');
    return await refreshRequest(fetch, { ...endpoint, refreshToken });
  },
};
