import { createPrivateKey, type KeyObject } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import { didOf, rawPublicKeyOf } from './did.ts';
import type { Identity } from './identity.ts';

export const seedLength = 32;
/** An Ed25519 PKCS #8 key without its seed (RFC 8410 §7). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const handlePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

export function isHandle(text: string): boolean {
  return handlePattern.test(text);
}

/** The identity that a handle and a private key make. */
export function identityOf(handle: string, privateKey: KeyObject): Identity {
  return { handle, did: didOf(rawPublicKeyOf(privateKey)), privateKey };
}

/** The Ed25519 private key that a seed of 32 bytes determines (RFC 8032 §5.1.5). */
export function keyFromSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== seedLength) throw new TypeError('an Ed25519 seed has 32 bytes');
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' });
}

/**
 * The private key in `text`: a PKCS #8 PEM, or a seed of 32 bytes in base64 or base64url.
 * The error names its source, `place`, and never quotes `text`.
 */
export function parsePrivateKey(text: string, place: string, hint: string): KeyObject {
  const trimmed = text.trim();
  const key = trimmed.startsWith('-----BEGIN ') ? keyFromPem(trimmed) : keyFromText(trimmed);
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new AuthsomeError('HomeNotUsable', `${place} does not contain an Ed25519 private key`, { hint });
  }
  return key;
}

function keyFromPem(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    // The cause is dropped: OpenSSL's text says nothing that a person could act on.
    return undefined;
  }
}

function keyFromText(text: string): KeyObject | undefined {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return undefined;
  return keyFromSeed(Buffer.from(text, 'base64url'));
}
