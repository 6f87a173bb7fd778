import { createHash, sign } from 'node:crypto';
import type { Identity, SignableRequest } from './identity.ts';

/** Header that names the handle; covered by every signature. */
export const identityHeader = 'authsome-identity';
/** Header with the name of one start of the daemon; covered where it is sent. */
export const instanceHeader = 'authsome-instance';
/** Authsome's label in `Signature` and `Signature-Input` (RFC 9421 §4). */
export const signatureLabel = 'authsome';

/** The covered components, in order, as the inner list that `Signature-Input` must have. */
export function coveredComponents({ body, instance }: SignableRequest): string {
  const digest = body.length === 0 ? '' : ' "content-digest"';
  const bound = instance === undefined ? '' : ` "${instanceHeader}"`;
  return `("@method" "@target-uri"${digest} "${identityHeader}"${bound})`;
}

/** `Content-Digest` of a body (RFC 9530 §2). */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

/**
 * The bytes to sign (RFC 9421 §2.5). `parameters` is the member's value in `Signature-Input`,
 * beginning with the list of {@link coveredComponents}.
 */
export function signatureBase(request: SignableRequest, handle: string, parameters: string): Buffer {
  const { body, instance } = request;
  const digest = body.length === 0 ? '' : `"content-digest": ${contentDigest(body)}\n`;
  const bound = instance === undefined ? '' : `"${instanceHeader}": ${instance}\n`;
  return Buffer.from(
    `"@method": ${request.method}\n` +
      `"@target-uri": ${request.origin}${request.target}\n` +
      digest +
      `"${identityHeader}": ${handle}\n` +
      bound +
      `"@signature-params": ${parameters}`,
    'latin1',
  );
}

/**
 * The headers that prove who sends `request` (RFC 9421, Ed25519), to send with its own. Synchronous, and on
 * `node:crypto` alone, since every command pays for it.
 */
export function signRequest(
  identity: Identity,
  request: SignableRequest,
  moment: { readonly nowMs: number; readonly nonce: string },
): Record<string, string> {
  if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(moment.nonce)) throw new TypeError('a nonce is plain ASCII');
  const parameters =
    `${coveredComponents(request)};created=${Math.floor(moment.nowMs / 1000)}` +
    `;nonce="${moment.nonce}";keyid="${identity.did}";alg="ed25519"`;
  const signature = sign(null, signatureBase(request, identity.handle, parameters), identity.privateKey);
  return {
    [identityHeader]: identity.handle,
    ...(request.body.length === 0 ? {} : { 'content-digest': contentDigest(request.body) }),
    ...(request.instance === undefined ? {} : { [instanceHeader]: request.instance }),
    'signature-input': `${signatureLabel}=${parameters}`,
    signature: `${signatureLabel}=:${signature.toString('base64')}:`,
  };
}
