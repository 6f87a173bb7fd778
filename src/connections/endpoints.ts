import { AuthsomeError } from '../errors.ts';
import type { Provider } from '../providers/index.ts';
import type { Endpoints } from './session-record.ts';

/** Where the definition itself says that requests go. InvalidDefinition when it names no token URL. */
export function endpointsOf(provider: Provider): Endpoints {
  const { oauth } = provider;
  if (oauth?.tokenUrl === undefined) {
    throw new AuthsomeError('InvalidDefinition', `the definition of ${provider.name} has no token_url`, {
      hint: `Look at it with: authsome inspect ${provider.name}`,
    });
  }
  return {
    issuer: oauth.issuer,
    authorizationUrl: oauth.authorizationUrl,
    tokenUrl: oauth.tokenUrl,
    revocationUrl: oauth.revocationUrl,
    deviceAuthorizationUrl: oauth.deviceAuthorizationUrl,
    registrationEndpoint: oauth.registrationEndpoint,
    issRequired: false,
    discovered: false,
  };
}
