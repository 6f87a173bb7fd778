import { AuthsomeError } from '../errors.ts';
import { isToken } from '../oauth/index.ts';
import type { Provider } from '../providers/index.ts';

/** A client as a person or the environment gave it; without a secret when that is empty. Throws InvalidKey. */
export function parseClient(
  provider: Provider,
  enteredId: string,
  enteredSecret: string,
): { readonly clientId: string; readonly clientSecret: string | undefined } {
  const clientId = enteredId.trim();
  const clientSecret = enteredSecret.trim();
  if (!isToken(clientId) || (clientSecret !== '' && !isToken(clientSecret))) {
    throw new AuthsomeError('InvalidKey', `that is not a client ID and secret of ${provider.displayName}`, {
      hint: 'Copy each of them whole, without spaces or line breaks in between.',
    });
  }
  return { clientId, clientSecret: clientSecret === '' ? undefined : clientSecret };
}
