const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export interface FailedAttempt {
  readonly method: string;
  /** It has a body, or asks for another protocol. */
  readonly hasContent: boolean;
  /** The upstream said that it did not process the request, or its connection was dead already. */
  readonly isUnprocessed: boolean;
  readonly wasRetried: boolean;
}

/**
 * Whether a request may be sent again after its first connection failed. Even an unprocessed one is repeated only if
 * processing it twice does no harm (RFC 9110 §9.2.2).
 */
export function mayRetry({ method, hasContent, isUnprocessed, wasRetried }: FailedAttempt): boolean {
  return isUnprocessed && !wasRetried && !hasContent && idempotent.has(method);
}

export interface RejectedAttempt {
  /** It carried a credential, of which there may be a newer one. */
  readonly isRenewable: boolean;
  readonly wasRenewed: boolean;
  /** All of the request was sent. */
  readonly isSent: boolean;
  /** Its body, where all of it was kept. */
  readonly body: readonly Buffer[] | undefined;
}

/** Whether a request that a 401 rejected may be sent again with a newer credential: all of it must have been kept. */
export function mayRenew({ isRenewable, wasRenewed, isSent, body }: RejectedAttempt): boolean {
  return isRenewable && !wasRenewed && isSent && body !== undefined;
}
