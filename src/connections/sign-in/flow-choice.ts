import { signInLine } from '../../command-line.ts';
import { AuthsomeError } from '../../errors.ts';
import type { FlowName, Provider } from '../../providers/index.ts';
import type { SignInRequest } from '../contract.ts';
import type { FlowTable } from './flows/index.ts';

/** The flow to sign in with: the wanted one, else the definition's. OperationNotAllowed says why it cannot be. */
export function chooseFlow(flows: FlowTable, provider: Provider, request: SignInRequest): FlowName {
  const { flow: wanted, connection, baseUrl, scopes, force } = request;
  if (wanted === undefined || wanted === provider.flow) return provider.flow;
  const names = Object.keys(flows) as FlowName[];
  const flow = names.find((name) => name === wanted);
  if (flow === undefined) {
    throw new AuthsomeError('Usage', 'unknown flow', { hint: `Use one of: ${names.join(', ')}` });
  }
  const reason = flows[flow].obstacle(provider);
  if (reason === undefined) return flow;
  throw new AuthsomeError('OperationNotAllowed', `${provider.name} cannot sign in with ${flow}: ${reason}`, {
    hint: `Run: ${signInLine({ provider: provider.name, connection, baseUrl, scopes, force })} (uses ${provider.flow})`,
  });
}
