import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { ProviderCatalog } from '../contract.ts';
import { connectionKey } from '../names.ts';
import type { Connection } from '../records/index.ts';
import { connectionLine } from '../sign-in-command.ts';

/** Throws CredentialExpired for a connection that has died. */
export function requireConnected(catalog: ProviderCatalog, connection: Connection): void {
  if (connection.state === 'invalid') {
    throw new AuthsomeError(
      'CredentialExpired',
      `${connection.provider} no longer accepts ${keyOf(connection)}`,
      {
        hint: signInAgain(catalog, connection),
      },
    );
  }
}

export function cannotRefresh(catalog: ProviderCatalog, connection: Connection): AuthsomeError {
  return new AuthsomeError('CredentialExpired', `${keyOf(connection)} has expired and cannot be refreshed`, {
    hint: signInAgain(catalog, connection),
  });
}

/** Whether trying again without a person cannot help. */
export function isFinal(error: unknown): boolean {
  const { code } = asAuthsomeError(error);
  return code === 'CredentialExpired' || code === 'CredentialMissing' || code === 'ConnectionNotFound';
}

function keyOf(connection: Connection): string {
  return connectionKey(connection.provider, connection.name);
}

export function signInAgain(catalog: ProviderCatalog, connection: Connection): string {
  return `Sign in again with: ${connectionLine(catalog, connection)}`;
}
