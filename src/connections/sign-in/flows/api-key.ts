import { AuthsomeError } from '../../../errors.ts';
import { isToken } from '../../../oauth/index.ts';
import { couldBePhantom, type Provider } from '../../../providers/index.ts';
import type { ReadingOptions, SecretFlow } from './flow.ts';

const maxKeyLength = 8192;

/** A person pastes an API key, or the environment has it. */
export const apiKey: SecretFlow = {
  kind: 'secret',
  obstacle: ({ apiKey }) => (apiKey === undefined ? 'it does not accept an API key' : undefined),
  readSecret: parseApiKey,
};

/**
 * The key without surrounding whitespace. Throws InvalidKey, which never repeats what was entered, but names the
 * variable that it came from.
 */
function parseApiKey(provider: Provider, entered: string, { variable, isPhantom }: ReadingOptions): string {
  const key = entered.trim();
  if (couldBePhantom(provider, key) || isPhantom?.(key) === true) {
    throw new AuthsomeError(
      'InvalidKey',
      `${whatOf(variable)} is a phantom, not an API key for ${provider.displayName}`,
      {
        hint: 'A run shows phantoms in place of keys. Enter the real key outside the run.',
      },
    );
  }
  const reason = problem(key);
  if (reason !== undefined) {
    const message = `${whatOf(variable)} is not a valid API key for ${provider.displayName}: ${reason}`;
    throw invalidKey(provider, message);
  }
  const pattern = provider.apiKey?.keyPattern;
  if (pattern !== undefined && key.search(pattern) !== 0) {
    throw invalidKey(
      provider,
      `${whatOf(variable)} doesn't look like an API key for ${provider.displayName}`,
    );
  }
  return key;
}

function problem(key: string): string | undefined {
  if (key === '') return 'it is empty';
  if (key.length > maxKeyLength) return 'it is too long';
  if (/[\p{Cc}\s]/u.test(key)) return 'it contains whitespace or control characters';
  return isToken(key) ? undefined : 'it contains characters that cannot be sent in a header';
}

function whatOf(variable: string | undefined): string {
  return variable === undefined ? 'that' : `the value of ${variable}`;
}

function invalidKey(provider: Provider, message: string): AuthsomeError {
  const shape = provider.apiKey?.keyPatternHint ?? 'Copy the whole key and nothing else.';
  const page = provider.setup.url === undefined ? '' : ` Find it at ${provider.setup.url}`;
  return new AuthsomeError('InvalidKey', message, { hint: shape + page });
}
