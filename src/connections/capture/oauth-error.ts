import type { AuthsomeError } from '../../errors.ts';
import type { ProgramAnswer } from './contract.ts';

/**
 * A refusal as a token endpoint sends it (RFC 6749 §5.2), since the program understands no other: at `invalid_grant` it asks its
 * user to sign in again, at `temporarily_unavailable` it tries again later.
 */
export function oauthRefusal(
  error: 'invalid_grant' | 'invalid_request' | 'temporarily_unavailable',
  failure: AuthsomeError,
): ProgramAnswer {
  const { message, hint } = failure;
  const description = hint === undefined ? `${message}.` : `${message}. ${hint}`;
  return jsonAnswer(
    error === 'temporarily_unavailable' ? 503 : 400,
    JSON.stringify({ error, error_description: printable(description) }),
    failure,
  );
}

export function jsonAnswer(status: number, body: string, failure?: AuthsomeError): ProgramAnswer {
  return {
    status,
    headers: [
      ['content-type', 'application/json'],
      ['cache-control', 'no-store'],
    ],
    body: Buffer.from(body),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** RFC 6749 §5.2 has few characters in a description. */
function printable(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/g, "'");
}
