import { AuthsomeError } from '../errors.ts';
import { keyBytes } from './seal.ts';

export function encodeKey(key: Uint8Array): string {
  return Buffer.from(key).toString('base64');
}

/**
 * The 32 bytes of `text`, which is base64 (RFC 4648 §4). Otherwise throws `WrongMasterKey`, which names `source` and
 * never the text.
 */
export function parseKey(text: string, source: string): Uint8Array {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  if (key.length !== keyBytes || !/^[A-Za-z0-9+/]{43}=?$/.test(trimmed)) {
    throw new AuthsomeError('WrongMasterKey', `the master key is not 32 bytes in base64: ${source}`, {
      hint: 'For a new vault, make one with: openssl rand -base64 32. For an existing one, restore the previous key.',
    });
  }
  return key;
}
