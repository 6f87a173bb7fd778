/** Holds back, changes and counts the responses of the authorization server's token endpoint. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Service } from './service/index.ts';

/** Where a token request waits: before the server has seen it, or after the server has done what it asks for. */
export type Stage = 'arrived' | 'answered';

export interface HeldRequest {
  /** Resolves when a token request has come so far. */
  readonly reached: Promise<void>;
  /** Lets it continue, and every later one pass. */
  release(): void;
  /** Loses it, as a network could; later ones pass. */
  lose(): void;
}

/** Holds the next token request at a stage. */
export function holdTokenRequest(service: Service, stage: Stage): HeldRequest {
  const { authorization } = service;
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  let goOn = (): void => {};
  let held: ServerResponse | undefined;
  const hold = (request: IncomingMessage, response: ServerResponse): void => {
    held = response;
    if (stage === 'arrived') {
      goOn = () => authorization.handle(request, response);
      reach();
      return;
    }
    const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
    response.end = ((...given: unknown[]) => {
      goOn = () => end(...given);
      reach();
      return response;
    }) as ServerResponse['end'];
    authorization.handle(request, response);
  };
  authorization.misbehave((request, response) => {
    if (request.url !== '/token') return false;
    authorization.misbehave(undefined);
    hold(request, response);
    return true;
  });
  return {
    reached,
    release: () => goOn(),
    lose: () => held?.destroy(),
  };
}

/** Passes every token response, or every response of another endpoint, through `change` before it is sent. */
export function changeResponses(
  service: Service,
  change: (body: Record<string, unknown>) => Record<string, unknown>,
  path = '/token',
): void {
  interceptAnswers(service, path, (_, body, end) => end(JSON.stringify(change(JSON.parse(body)))));
}

/**
 * Hands `act` what the server is about to answer at a path, and below it. Its headers are not on the way yet; `end`
 * sends this body, for which `act` may do without.
 */
export function interceptAnswers(
  { authorization }: Service,
  path: string,
  act: (response: ServerResponse, body: string, end: (body: string) => void) => void,
): void {
  const seen = new WeakSet<IncomingMessage>();
  authorization.misbehave((request, response) => {
    const isThere = request.url === path || request.url?.startsWith(`${path}/`) === true;
    if (!isThere || seen.has(request)) return false;
    seen.add(request);
    const end = response.end.bind(response);
    response.end = ((body: string | Buffer = '') => {
      act(response, String(body), (changed) => {
        response.setHeader('content-length', Buffer.byteLength(changed));
        end(changed);
      });
      return response;
    }) as ServerResponse['end'];
    authorization.handle(request, response);
    return true;
  });
}

/** How many token requests of a kind the server has answered with tokens. */
export function granted(service: Service, grantType: string): number {
  return service.authorization.issued.filter((tokens) => tokens.grantType === grantType).length;
}
