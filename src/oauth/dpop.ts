/** What is said where only tokens would do that are bound to a key of the client (RFC 9449); it ends a sentence. */
export const dpopNeed =
  'tokens that are bound to a key of the client (DPoP, RFC 9449), which authsome does not support';

/** Whether a server refuses a request because it has no proof of a key (RFC 9449 §5, §8). */
export function wantsDpop(refusal: {
  readonly error: string;
  readonly description: string | undefined;
}): boolean {
  const { error, description = '' } = refusal;
  if (error === 'invalid_dpop_proof' || error === 'use_dpop_nonce') return true;
  return (error === 'invalid_grant' || error === 'invalid_request') && /\bdpop\b/i.test(description);
}

export function dpopHint(provider: string): string {
  return `If ${provider} lets a client have bearer tokens, register one for that, or use an API key if it has those.`;
}
