import type { AuthsomeError } from '../../errors.ts';
import { type Docket, type Grant, hear, type Petition, type Refusal } from '../hearing/index.ts';
import {
  type Authority,
  hostHeaderOf,
  joinedValue,
  type RequestHead,
  type ResponseHead,
} from '../http1/index.ts';
import { type ForwardTarget, rewriteRequestHead } from '../inject/index.ts';
import type { Tenant } from './context.ts';
import type { Destination, Exchange } from './exchange.ts';
import { AnswerScrub } from './scrubbing.ts';

const httpsPort = 443;

/** An HTTP/1.1 request to an https origin: what both interceptions and absolute-form requests come to. */
export class OriginRequest implements Petition {
  readonly docket: Docket;
  readonly #exchange: Exchange;
  readonly #tenant: Tenant;
  readonly #request: RequestHead;
  readonly #authority: Authority;
  readonly #target: ForwardTarget;

  constructor(
    exchange: Exchange,
    docket: Docket,
    tenant: Tenant,
    request: RequestHead,
    authority: Authority,
    target: ForwardTarget,
  ) {
    this.#exchange = exchange;
    this.docket = docket;
    this.#tenant = tenant;
    this.#request = request;
    this.#authority = authority;
    this.#target = target;
  }

  send(): void {
    hear(this, this.#tenant.run, this.#exchange.context.decisions);
  }

  get gone(): boolean {
    return this.#exchange.gone;
  }

  inject(grant: Grant): void {
    const { docket } = this;
    const plan = {
      head: rewriteRequestHead(this.#request, this.#target, grant.injection),
      lineFor: (answer: ResponseHead) => refusalLines(answer, docket.id, grant),
      renewable: true,
      scrub: new AnswerScrub(grant, this.#request.minor),
    };
    const renewal = async (): Promise<Buffer | undefined> => {
      const injection = await grant.renew();
      return injection === undefined ? undefined : rewriteRequestHead(this.#request, this.#target, injection);
    };
    this.#exchange.forward(
      docket,
      this.#destination(grant.connection, grant.route.allowPrivateAddress),
      plan,
      renewal,
    );
  }

  pass(allowPrivateAddress: boolean): void {
    this.#exchange.forward(this.docket, this.#destination(undefined, allowPrivateAddress), {
      head: rewriteRequestHead(this.#request, this.#target, undefined),
      lineFor: undefined,
      renewable: false,
      scrub: undefined,
    });
  }

  refuse(refusal: Refusal): void {
    this.#exchange.refuse(this.docket.refuse(refusal));
  }

  fail(error: AuthsomeError): void {
    this.#exchange.refuse(this.docket.fail(error));
  }

  #destination(connection: string | undefined, allowPrivateAddress: boolean): Destination {
    const authority = this.#authority;
    const { way } = this.#exchange.context;
    return {
      key: `${connection ?? ''} ${authority.host}:${authority.port}`,
      connection,
      pool: this.#tenant.pool,
      dial: (signal) => way.tls({ authority, allowPrivateAddress, signal }, ['http/1.1']),
    };
  }
}

/** What an upstream's 401 or 403 gains. */
function refusalLines(answer: ResponseHead, decision: string, grant: Grant): string | undefined {
  const { status } = answer;
  if (status !== 401 && status !== 403) return undefined;
  const advice = grant.advise(status, (name) => joinedValue(answer, name));
  const hint = advice === undefined ? '' : `Authsome-Hint: ${advice}\r\n`;
  return `Authsome-Decision: ${decision}\r\n${hint}`;
}

export function hostFieldOf(authority: Authority): string {
  return hostHeaderOf(authority, httpsPort);
}
