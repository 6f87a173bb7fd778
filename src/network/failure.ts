import { AuthsomeError } from '../errors.ts';

/** What is wrong with a certificate, by the codes of OpenSSL and Node. */
const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root is not trusted',
  UNABLE_TO_GET_ISSUER_CERT: 'its issuer is not known',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its issuer is not known',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its issuer is not known',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
  HOSTNAME_MISMATCH: 'it is for another name',
  CERT_REVOKED: 'it has been revoked',
  CERT_SIGNATURE_FAILURE: 'its signature is wrong',
  CERT_CHAIN_TOO_LONG: 'its chain is too long',
  PATH_LENGTH_EXCEEDED: 'its chain is too long',
  INVALID_CA: 'its issuer is not a certificate authority',
  INVALID_PURPOSE: 'it is not for servers',
  CERT_UNTRUSTED: 'its root is not trusted',
  CERT_REJECTED: 'its root is not trusted',
};
const unknownRoot = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_|CERT_UNTRUSTED)/;

/** The error for a TLS handshake with `host` that failed: `UpstreamUntrusted`, or `UpstreamUnreachable` if the connection closed. */
export function tlsFailure(host: string, error: unknown): AuthsomeError {
  const code = codeOf(error);
  const fault = certificateFaults[code];
  if (fault !== undefined) {
    return new AuthsomeError('UpstreamUntrusted', `the certificate of ${host} is not trusted: ${fault}`, {
      cause: error,
      ...(unknownRoot.test(code)
        ? { hint: 'If you trust its root, name its PEM file: AUTHSOME_EXTRA_CA_CERTS=<file>' }
        : {}),
    });
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return new AuthsomeError('UpstreamUntrusted', `${host} does not speak TLS on that port`, {
      cause: error,
    });
  }
  // RFC 7301 §3.2
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') {
    return new AuthsomeError('UpstreamUnreachable', `${host} does not support the offered HTTP version`, {
      cause: error,
      hint: 'It may support only HTTP/2: use a client that does, or enable it in this one.',
    });
  }
  if (/^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET)/.test(code)) {
    return new AuthsomeError(
      'UpstreamUnreachable',
      `${host} closed the connection during the TLS handshake`,
      { cause: error },
    );
  }
  return new AuthsomeError('UpstreamUntrusted', `no trusted TLS connection to ${host}: ${code}`, {
    cause: error,
  });
}

const connectFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENETDOWN: 'the network is down',
  EADDRNOTAVAIL: 'host unreachable',
  ETIMEDOUT: 'it did not respond',
  ENOTFOUND: 'its name does not resolve',
  EAI_AGAIN: 'temporary DNS failure',
};

/** `UpstreamUnreachable` for a lookup or connection that failed. */
export function connectFailure(host: string, port: number, error: unknown): AuthsomeError {
  return new AuthsomeError('UpstreamUnreachable', `cannot reach ${host}:${port}: ${connectFaultOf(error)}`, {
    cause: error,
  });
}

/** Why a lookup or connection failed, in words. */
export function connectFaultOf(error: unknown): string {
  const code = codeOf(error);
  return connectFaults[code] ?? code;
}

/** Node's or OpenSSL's code for an error: safe to show, unlike its message. */
function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'unknown failure';
}
