import { timingSafeEqual, verify } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import { publicKeyOf } from './did.ts';
import type { SignableRequest, Verified } from './identity.ts';
import { isHandle } from './key.ts';
import {
  contentDigest,
  coveredComponents,
  identityHeader,
  signatureBase,
  signatureLabel,
} from './signature.ts';

/** How far a signature's `created` may be from the daemon's clock, either way. */
export const freshnessMs = 60_000;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyOptions {
  readonly nowMs: number;
  /**
   * Records a nonce until `expiresAtMs`; `false` when it was recorded before (or cannot be). Called last, so
   * that an unsigned request cannot use up a nonce.
   */
  readonly rememberNonce: (nonce: string, expiresAtMs: number) => boolean;
}

/**
 * Who signed `request`, whose header names are in lower case. Throws `RequestNotAuthentic` unless the signature covers
 * exactly what {@link signRequest} covers, is fresh, new, and matches the body. A valid signature says who calls,
 * not what they may do.
 */
export function verifyRequest(
  request: SignableRequest & { readonly headers: Headers },
  { nowMs, rememberNonce }: VerifyOptions,
): Verified {
  const handle = single(request.headers, identityHeader);
  if (!isHandle(handle)) throw notAuthentic('the identity header is not a handle');
  const parameters = memberOf(single(request.headers, 'signature-input'), 'Signature-Input');
  const { createdMs, nonce, did } = readParameters(parameters, coveredComponents(request));
  const signature = signatureBytes(memberOf(single(request.headers, 'signature'), 'Signature'));
  if (Math.abs(nowMs - createdMs) > freshnessMs) {
    throw notAuthentic('the signature is not fresh', 'Set the clocks of both machines, then try again.');
  }
  if (request.body.length > 0) {
    const claimed = Buffer.from(single(request.headers, 'content-digest'));
    const actual = Buffer.from(contentDigest(request.body));
    if (claimed.length !== actual.length || !timingSafeEqual(claimed, actual)) {
      throw notAuthentic('the content digest does not match the body');
    }
  }
  const publicKey = publicKeyOf(did);
  if (publicKey === undefined) throw notAuthentic('the key id is not an Ed25519 did:key');
  if (!verify(null, signatureBase(request, handle, parameters), publicKey, signature)) {
    throw notAuthentic('the signature does not verify');
  }
  // A whole second more than freshness allows, since `created` has no fractions.
  if (!rememberNonce(`${did} ${nonce}`, createdMs + freshnessMs + 1000)) {
    throw notAuthentic('the request was seen before');
  }
  return { did, handle };
}

/** One value, or a refusal: a repeated header could mean one thing here and another to the sender. */
function single(headers: Headers, name: string): string {
  const value = headers[name];
  if (typeof value === 'string') return value;
  if (value?.length === 1 && value[0] !== undefined) return value[0];
  throw notAuthentic(
    value === undefined ? `the ${name} header is missing` : `the ${name} header is repeated`,
  );
}

function memberOf(header: string, name: string): string {
  if (header.startsWith(`${signatureLabel}=`)) return header.slice(signatureLabel.length + 1);
  throw notAuthentic(`${name} has no member ${signatureLabel}`);
}

function readParameters(
  text: string,
  components: string,
): { readonly createdMs: number; readonly nonce: string; readonly did: string } {
  if (!text.startsWith(components))
    throw notAuthentic('the signature does not cover the required components');
  const parameters = new Map<string, string>();
  const pattern = /;(created|nonce|keyid|alg)=(?:(\d{1,11})|"([\x21\x23-\x5b\x5d-\x7e]{1,128})")/y;
  pattern.lastIndex = components.length;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    const [, name = '', digits, quoted] = match ?? [];
    const isWellFormed = match !== null && (name === 'created') === (digits !== undefined);
    if (!isWellFormed || parameters.has(name)) throw notAuthentic('the signature parameters cannot be read');
    parameters.set(name, digits ?? quoted ?? '');
  }
  const created = parameters.get('created');
  const nonce = parameters.get('nonce');
  const did = parameters.get('keyid');
  if (created === undefined || nonce === undefined || did === undefined) {
    throw notAuthentic('the signature parameters are incomplete');
  }
  if (parameters.get('alg') !== 'ed25519') throw notAuthentic('the signature algorithm is not ed25519');
  // Short nonces could repeat by chance and would then be refused at random.
  if (nonce.length < 16) throw notAuthentic('the nonce is too short');
  return { createdMs: Number(created) * 1000, nonce, did };
}

function signatureBytes(member: string): Buffer {
  const match = /^:([A-Za-z0-9+/]{86}==):$/.exec(member);
  if (match?.[1] === undefined) throw notAuthentic('the signature is not 64 bytes in base64');
  return Buffer.from(match[1], 'base64');
}

function notAuthentic(why: string, hint?: string): AuthsomeError {
  return new AuthsomeError(
    'RequestNotAuthentic',
    `the request is not authentic: ${why}`,
    hint === undefined ? {} : { hint },
  );
}
