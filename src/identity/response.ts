import { sign, verify } from 'node:crypto';
import { publicKeyOf } from './did.ts';
import type { Identity } from './identity.ts';
import { instanceHeader, signatureLabel } from './signature.ts';

/** What the signature of a daemon's response covers, besides the signature of the call that it answers. */
export interface SignableResponse {
  readonly status: number;
  /** Its `Content-Digest`; `undefined` for a stream, whose end nobody knows yet. */
  readonly digest: string | undefined;
  /** The start of the daemon that sent it. */
  readonly instance: string;
  /** The `Signature` header of the call. */
  readonly answers: string;
}

/** Who sent a response, as a valid signature proves it. */
export interface Sender {
  /** The daemon's key, as a `did:key`. */
  readonly did: string;
  readonly instance: string;
}

type Headers = (name: string) => string | undefined;

/**
 * The headers that prove which daemon responds, and to which call (RFC 9421 §2.4). A copy proves nothing: no two calls
 * have the same signature.
 */
export function signResponse(
  key: Identity,
  response: SignableResponse,
  nowMs: number,
): Record<string, string> {
  const parameters =
    `${componentsOf(response.digest)};created=${Math.floor(nowMs / 1000)}` +
    `;keyid="${key.did}";alg="ed25519"`;
  const signature = sign(null, signatureBase(response, parameters), key.privateKey);
  return {
    ...(response.digest === undefined ? {} : { 'content-digest': response.digest }),
    [instanceHeader]: response.instance,
    'signature-input': `${signatureLabel}=${parameters}`,
    signature: `${signatureLabel}=:${signature.toString('base64')}:`,
  };
}

/**
 * The sender of a response to the call with the `Signature` header `answers`; `undefined` when nothing valid proves one.
 * Whether that is the daemon that was called is for the caller to compare.
 */
export function senderOf(status: number, headers: Headers, answers: string): Sender | undefined {
  const digest = headers('content-digest');
  const instance = headers(instanceHeader);
  const input = headers('signature-input') ?? '';
  const prefix = `${signatureLabel}=`;
  const components = componentsOf(digest);
  const found = /^;created=\d{1,11};keyid="(did:key:z[A-Za-z0-9]{1,64})";alg="ed25519"$/.exec(
    input.slice(prefix.length + components.length),
  );
  const signature = /^authsome=:([A-Za-z0-9+/]{86}==):$/.exec(headers('signature') ?? '')?.[1];
  const did = found?.[1];
  const isReadable = input.startsWith(prefix + components);
  if (!isReadable || did === undefined || signature === undefined || instance === undefined) return undefined;
  const publicKey = publicKeyOf(did);
  const base = signatureBase({ status, digest, instance, answers }, input.slice(prefix.length));
  if (publicKey === undefined || !verify(null, base, publicKey, Buffer.from(signature, 'base64'))) {
    return undefined;
  }
  return { did, instance };
}

function componentsOf(digest: string | undefined): string {
  const content = digest === undefined ? '' : ' "content-digest"';
  return `("@status"${content} "${instanceHeader}" "signature";req;key="${signatureLabel}")`;
}

function signatureBase(response: SignableResponse, parameters: string): Buffer {
  const { status, digest, instance, answers } = response;
  return Buffer.from(
    `"@status": ${status}\n` +
      (digest === undefined ? '' : `"content-digest": ${digest}\n`) +
      `"${instanceHeader}": ${instance}\n` +
      `"signature";req;key="${signatureLabel}": ${answers.slice(signatureLabel.length + 1)}\n` +
      `"@signature-params": ${parameters}`,
    'latin1',
  );
}
