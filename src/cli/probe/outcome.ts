import type { ProbeDocument, ProbeListDocument } from '../../client/index.ts';
import { exitCodeOf, isErrorCode } from '../../errors.ts';
import type { ProbeResponse } from './request.ts';

type Probed = Pick<ProbeDocument['probes'][number], 'status' | 'http_status' | 'detail'>;

/** What one probe found, and the exit code that fits it: 0 where the credential arrived. */
export interface ProbeOutcome extends Probed {
  readonly exit: number;
}

type Request = NonNullable<ProbeListDocument['probes'][number]['request']>;

const rejectedExit = exitCodeOf('CredentialExpired');
const unreachableExit = exitCodeOf('EndpointUnreachable');

export function unknown(detail: string, exit: number, http_status: number | null = null): ProbeOutcome {
  return { status: 'unknown', http_status, detail, exit };
}

/** By the service's own answer. A body is looked into for one field, and never shown. */
export function outcomeOf(response: ProbeResponse, { url, method, ok }: Request): ProbeOutcome {
  if (response.from === 'proxy') {
    const { code, detail } = response;
    const exit = isErrorCode(code) ? exitCodeOf(code) : unreachableExit;
    return unknown(`the proxy refused it (${code}): ${detail}`, exit);
  }
  const { status: http_status, document } = response;
  const { host, pathname } = new URL(url);
  const what = `${method} ${host}${pathname} returned ${http_status}`;
  if (http_status === 401 || http_status === 403) {
    const why = http_status === 403 ? ': the credential is not accepted, or lacks a permission' : '';
    return { status: 'rejected', http_status, detail: `${what}${why}`, exit: rejectedExit };
  }
  if (http_status >= 300 && http_status < 400) {
    return unknown(`${what}: a redirect, which is not followed`, unreachableExit, http_status);
  }
  if (http_status < 200 || http_status >= 300) return unknown(what, unreachableExit, http_status);
  if (ok === null || isTrueAt(document, ok)) return { status: 'arrived', http_status, detail: what, exit: 0 };
  return { status: 'rejected', http_status, detail: `${what}, and not true at ${ok}`, exit: rejectedExit };
}

/** The exit code of all: a rejected credential counts more than what is not known. */
export function exitOf(outcomes: readonly ProbeOutcome[]): number {
  if (outcomes.some(({ status }) => status === 'rejected')) return rejectedExit;
  return outcomes.find(({ exit }) => exit !== 0)?.exit ?? 0;
}

function isTrueAt(document: unknown, pointer: string): boolean {
  let value = document;
  for (const segment of pointer.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value === true;
}
