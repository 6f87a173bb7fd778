import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Service } from '../../demo/service/index.ts';

/** Where a token request waits: before the server has seen it, or after the server has done what it asks for. */
export type Stage = 'arrived' | 'answered';

export interface HeldRequest {
  /** Resolves when a token request has come so far. */
  readonly reached: Promise<void>;
  /** Lets it go on, and every later one pass. */
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

/** Passes every token response, or every response of another endpoint, through `change` on its way out. */
export function changeResponses(
  service: Service,
  change: (body: Record<string, unknown>) => Record<string, unknown>,
  path = '/token',
): void {
  const { authorization } = service;
  const seen = new WeakSet<IncomingMessage>();
  authorization.misbehave((request, response) => {
    if (request.url !== path || seen.has(request)) return false;
    seen.add(request);
    const end = response.end.bind(response);
    response.end = ((body: string | Buffer) => {
      const changed = JSON.stringify(change(JSON.parse(String(body))));
      response.setHeader('content-length', Buffer.byteLength(changed));
      return end(changed);
    }) as ServerResponse['end'];
    authorization.handle(request, response);
    return true;
  });
}

/** How many token requests of a kind the server has answered with tokens. */
export function granted(service: Service, grantType: string): number {
  return service.authorization.issued.filter((tokens) => tokens.grantType === grantType).length;
}
