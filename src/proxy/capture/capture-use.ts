import { AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { CaptureRoute } from '../../providers/index.ts';
import type { CapturedAnswer, CapturedRequest } from '../contract.ts';
import { type Problem, problemDocument, problemStatus } from '../refusal/index.ts';

/** No token request is longer: a code, a verifier, an assertion at most. */
export const mostRequestBytes = 256 * 1024;

/** What a session needs to answer a request to an endpoint of a sign-in. Its methods never reject. */
export interface CaptureUse {
  readonly decision: string;
  /** The answer that the program gets: the service's with phantoms in it, one from the vault, or a problem document. */
  answer(request: Omit<CapturedRequest, 'route' | 'decision'>): Promise<CapturedAnswer>;
  /** The answer to a request whose body is longer than `mostRequestBytes`. */
  tooLong(): CapturedAnswer;
}

/** What the record of a request is needed for. */
interface Recorded {
  readonly id: string;
  fail(error: AuthsomeError): Problem;
}

export function captureUse(
  record: Recorded,
  route: CaptureRoute,
  capture: (request: CapturedRequest) => Promise<CapturedAnswer>,
): CaptureUse {
  const refused = (error: AuthsomeError): CapturedAnswer => {
    const problem = record.fail(error);
    return {
      status: problemStatus(problem),
      headers: [
        ['content-type', 'application/problem+json'],
        ['cache-control', 'no-store'],
      ],
      body: Buffer.from(problemDocument(problem)),
    };
  };
  return {
    decision: record.id,
    async answer(request) {
      try {
        const answer = await capture({ ...request, route, decision: record.id });
        if (answer.failure !== undefined) record.fail(answer.failure);
        return answer;
      } catch (error) {
        return refused(asAuthsomeError(error));
      }
    },
    tooLong: () =>
      refused(
        new AuthsomeError('MalformedRequest', `a token request is longer than ${mostRequestBytes} bytes`),
      ),
  };
}
