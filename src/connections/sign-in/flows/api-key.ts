import { AuthsomeError } from '../../../errors.ts';
import { isToken } from '../../../oauth/index.ts';
import type { Provider } from '../../../providers/index.ts';
import type { SecretFlow } from './flow.ts';

const maxKeyLength = 8192;

/** A person pastes an API key, or the environment has it. */
export const apiKey: SecretFlow = {
  kind: 'secret',
  obstacle: ({ apiKey }) => (apiKey === undefined ? 'its definition has no api_key section' : undefined),
  readSecret: parseApiKey,
};

/**
 * The key without surrounding white space. Throws InvalidKey, which never repeats what was entered, but names the
 * variable that it came from.
 */
function parseApiKey(provider: Provider, entered: string, variable?: string): string {
  const key = entered.trim();
  const reason = problem(key);
  if (reason !== undefined) throw invalidKey(provider, reason, variable);
  const pattern = provider.apiKey?.keyPattern;
  if (pattern !== undefined && key.search(pattern) !== 0) {
    throw invalidKey(provider, 'it does not look like one', variable);
  }
  return key;
}

function problem(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.length > maxKeyLength) return 'it is too long';
  if (/[\p{Cc}\s]/u.test(key)) return 'it holds white space or control characters';
  return isToken(key) ? undefined : 'it holds characters that cannot go into a header';
}

function invalidKey(provider: Provider, reason: string, variable: string | undefined): AuthsomeError {
  const what = variable === undefined ? 'that' : `the value of ${variable}`;
  const shape = provider.apiKey?.keyPatternHint;
  const page = provider.setup.url === undefined ? '' : ` Find it at ${provider.setup.url}`;
  return new AuthsomeError('InvalidKey', `${what} is not a key of ${provider.displayName}: ${reason}`, {
    hint: `${shape ?? `Copy the whole key and nothing else.`}${page}`,
  });
}
