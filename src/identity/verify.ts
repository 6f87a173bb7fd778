import { timingSafeEqual, verify } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import { publicKeyOf } from './did.ts';
import type { SignableRequest, VerifiedCall } from './identity.ts';
import { isHandle } from './key.ts';
import {
  contentDigest,
  coveredComponents,
  identityHeader,
  instanceHeader,
  signatureBase,
  signatureLabel,
} from './signature.ts';

/** How old a signature may be, by the daemon's clock. */
export const freshnessMs = 60_000;
/** How far a caller's clock may be ahead of the daemon's. */
export const aheadMs = 5_000;

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Who signed `request`, whose header names are in lower case. Throws `RequestNotAuthentic` unless the signature covers
 * exactly what {@link signRequest} covers, and matches the body. A valid signature says who calls, not what they may do,
 * nor that this is the first time: see {@link requireFresh} and the memory of nonces.
 */
export function verifyRequest(request: SignableRequest & { readonly headers: Headers }): VerifiedCall {
  const { headers } = request;
  const handle = single(headers, identityHeader);
  if (!isHandle(handle)) throw notAuthentic('the identity header is not a handle');
  const instance = headers[instanceHeader] === undefined ? undefined : single(headers, instanceHeader);
  const signed: SignableRequest = { ...request, instance };
  const parameters = memberOf(single(headers, 'signature-input'), 'Signature-Input');
  const { createdMs, nonce, did } = readParameters(parameters, coveredComponents(signed));
  const signature = signatureBytes(memberOf(single(headers, 'signature'), 'Signature'));
  if (request.body.length > 0) {
    const claimed = Buffer.from(single(headers, 'content-digest'));
    const actual = Buffer.from(contentDigest(request.body));
    if (claimed.length !== actual.length || !timingSafeEqual(claimed, actual)) {
      throw notAuthentic('the content digest does not match the body');
    }
  }
  const publicKey = publicKeyOf(did);
  if (publicKey === undefined) throw notAuthentic('the key id is not an Ed25519 did:key');
  if (!verify(null, signatureBase(signed, handle, parameters), publicKey, signature)) {
    throw notAuthentic('the signature does not verify');
  }
  return { did, handle, nonce, createdMs, instance };
}

/**
 * Throws `RequestNotAuthentic` for a signature that is too old, or from the future. Returns until when it will be fresh,
 * which is how long its nonce has to be remembered.
 */
export function requireFresh({ createdMs }: Pick<VerifiedCall, 'createdMs'>, nowMs: number): number {
  const ageMs = nowMs - createdMs;
  if (ageMs > freshnessMs) throw wrongClocks(`${Math.ceil(ageMs / 1000)} seconds ago`, freshnessMs);
  if (ageMs < -aheadMs) throw wrongClocks(`${Math.ceil(-ageMs / 1000)} seconds from now`, aheadMs);
  // A whole second more than freshness allows, since `created` has no fractions.
  return createdMs + freshnessMs + 1000;
}

function wrongClocks(when: string, allowedMs: number): AuthsomeError {
  return notAuthentic(
    `by the daemon's clock it was signed ${when}, and ${allowedMs / 1000} are allowed`,
    'Set the clocks of both machines, then try again.',
  );
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

/** The error for a call that does not prove who makes it, here and now. */
export function notAuthentic(why: string, hint?: string): AuthsomeError {
  return new AuthsomeError(
    'RequestNotAuthentic',
    `the request is not authentic: ${why}`,
    hint === undefined ? {} : { hint },
  );
}
