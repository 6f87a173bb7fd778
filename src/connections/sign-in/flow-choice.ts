import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { Provider } from '../../providers/index.ts';
import type { FlowName, SignInRequest } from '../contract.ts';

const flowNames: readonly FlowName[] = ['pkce', 'dcr_pkce', 'device_code', 'api_key', 'client_credentials'];

/** The flow to sign in with: the wanted one, else the definition's. OperationNotAllowed says why it cannot be. */
export function chooseFlow(provider: Provider, request: SignInRequest): FlowName {
  const { flow: wanted, connection, baseUrl, scopes, force } = request;
  if (wanted === undefined || wanted === provider.flow) return provider.flow;
  const flow = flowNames.find((name) => name === wanted);
  if (flow === undefined) {
    throw new AuthsomeError('Usage', 'there is no such flow', {
      hint: `Use one of: ${flowNames.join(', ')}`,
    });
  }
  const reason = obstacle(provider, flow);
  if (reason === undefined) return flow;
  throw new AuthsomeError('OperationNotAllowed', `${provider.name} cannot sign in with ${flow}: ${reason}`, {
    hint: `Run: ${signInLine({ provider: provider.name, connection, baseUrl, scopes, force })} (uses ${provider.flow})`,
  });
}

function obstacle(provider: Provider, flow: FlowName): string | undefined {
  const { oauth, apiKey } = provider;
  if (flow === 'api_key') return apiKey === undefined ? 'its definition has no api_key section' : undefined;
  if (oauth === undefined) return 'its definition has no oauth section';
  switch (flow) {
    case 'pkce':
      return oauth.authorizationUrl === undefined && oauth.issuer === undefined
        ? 'its definition has no authorization_url'
        : undefined;
    case 'dcr_pkce':
      return oauth.supportsDcr || oauth.registrationEndpoint !== undefined
        ? undefined
        : 'it does not register clients by itself (supports_dcr)';
    case 'device_code':
      return oauth.supportsDeviceCode || oauth.deviceAuthorizationUrl !== undefined
        ? undefined
        : 'it has no device flow (supports_device_code)';
    default:
      return 'it signs in people, not machines';
  }
}
