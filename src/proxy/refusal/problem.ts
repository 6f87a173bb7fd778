import { type ErrorCode, statusOf } from '../../errors.ts';

/** Why a request failed, for the agent that sent it. It contains no secret and no value from the request. */
export interface Problem {
  readonly code: ErrorCode;
  /** One sentence. */
  readonly detail: string;
  /** The command or action that fixes it. */
  readonly hint: string | undefined;
  /** `dec_…`, for `authsome explain`. */
  readonly decision: string;
}

const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  409: 'Conflict',
  421: 'Misdirected Request',
  422: 'Unprocessable Content',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

export function problemStatus(problem: Problem): number {
  return statusOf(problem.code);
}

/** The `application/problem+json` document (RFC 9457 §3). */
export function problemDocument(problem: Problem): string {
  const status = statusOf(problem.code);
  return `${JSON.stringify({
    type: `urn:authsome:error:${problem.code}`,
    title: phrases[status] ?? 'Refused',
    status,
    detail: problem.detail,
    code: problem.code,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    decision: problem.decision,
  })}\n`;
}

/**
 * The complete HTTP/1.1 response. Without `body` (for HEAD) it declares the length that the body would have. Clients show
 * only the first line when a CONNECT is refused, so that line names the reason too.
 */
export function problemResponse(
  problem: Problem,
  shape: { readonly close: boolean; readonly body: boolean },
): Buffer {
  const status = statusOf(problem.code);
  const document = Buffer.from(problemDocument(problem));
  const lines = [
    `HTTP/1.1 ${status} ${phrases[status] ?? 'Refused'} (${problem.code}: authsome explain ${problem.decision})`,
    'Content-Type: application/problem+json',
    `Content-Length: ${document.length}`,
    'Cache-Control: no-store',
    `Authsome-Decision: ${problem.decision}`,
  ];
  if (status === 407) lines.push('Proxy-Authenticate: Basic realm="authsome", charset="UTF-8"');
  if (shape.close) lines.push('Connection: close');
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return shape.body ? Buffer.concat([head, document]) : head;
}
