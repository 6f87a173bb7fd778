import type { RefreshOf } from '../../credentials/index.ts';
import { apiKey } from './api-key.ts';
import { authorizationCode } from './authorization-code.ts';
import { clientCredentials } from './client-credentials.ts';
import { deviceCode } from './device-code.ts';
import type { FlowTable } from './flow.ts';

/** All flows that authsome knows. */
export const allFlows: FlowTable = {
  pkce: authorizationCode({ registersClient: false }),
  dcr_pkce: authorizationCode({ registersClient: true }),
  device_code: deviceCode,
  api_key: apiKey,
  client_credentials: clientCredentials,
};

/** How the flows of a table refresh what they were granted. */
export function refreshOf(flows: FlowTable): RefreshOf {
  return (name) => {
    const flow = flows[name];
    return flow?.kind === 'oauth' ? flow.refresh : undefined;
  };
}
