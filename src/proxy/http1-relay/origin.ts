import { type AuthsomeError, asAuthsomeError } from '../../errors.ts';
import type { Route } from '../../providers/index.ts';
import { type Docket, type Grant, hear, type Petition } from '../authorize/index.ts';
import type { Owner, Way } from '../context.ts';
import type { Refusal } from '../decide/index.ts';
import {
  type Authority,
  hostHeaderOf,
  joinedValue,
  type RequestHead,
  type ResponseHead,
} from '../http1/index.ts';
import { type ForwardTarget, rewriteRequestHead } from '../inject/index.ts';
import { AnswerScrub } from './answer-scrub.ts';
import type { Destination, Exchange } from './exchange.ts';

const httpsPort = 443;

/** An https origin as a run's HTTP/1.1 requests reach it. */
export class Origin {
  readonly owner: Owner;
  readonly authority: Authority;
  /** Its `Host` value. */
  readonly hostField: string;
  readonly #way: Way;
  readonly #carrying = new WeakMap<Route, Destination>();

  constructor(owner: Owner, authority: Authority, way: Way) {
    this.owner = owner;
    this.authority = authority;
    this.hostField = hostFieldOf(authority);
    this.#way = way;
  }

  /** Where requests with the credential of `grant` go, made once a route. */
  carrying({ route, connection }: Grant): Destination {
    const known = this.#carrying.get(route);
    if (known !== undefined) return known;
    const destination = this.#destination(connection, route.allowPrivateAddress);
    this.#carrying.set(route, destination);
    return destination;
  }

  /** Where requests without a credential go. */
  plain(allowPrivateAddress: boolean): Destination {
    return this.#destination(undefined, allowPrivateAddress);
  }

  #destination(connection: string | undefined, allowPrivateAddress: boolean): Destination {
    const { authority } = this;
    return {
      key: `${connection ?? ''} ${authority.host}:${authority.port}`,
      connection,
      pool: this.owner.pool,
      dial: (signal) => this.#way.tls({ authority, allowPrivateAddress, signal }, ['http/1.1']),
    };
  }
}

/** An HTTP/1.1 request to an https origin: what both interceptions and absolute-form requests come to. */
export class OriginRequest implements Petition {
  readonly docket: Docket;
  readonly #exchange: Exchange;
  readonly #origin: Origin;
  readonly #request: RequestHead;
  readonly #target: ForwardTarget;

  constructor(
    exchange: Exchange,
    docket: Docket,
    origin: Origin,
    request: RequestHead,
    target: ForwardTarget,
  ) {
    this.#exchange = exchange;
    this.docket = docket;
    this.#origin = origin;
    this.#request = request;
    this.#target = target;
  }

  send(): void {
    hear(this, this.#origin.owner.run, this.#exchange.context.decisions);
  }

  get gone(): boolean {
    return this.#exchange.gone;
  }

  inject(grant: Grant): void {
    const { docket } = this;
    let head: Buffer;
    try {
      head = rewriteRequestHead(this.#request, this.#target, grant.injection);
    } catch (error) {
      // A computed credential that cannot be written: nothing has been sent.
      this.fail(asAuthsomeError(error));
      return;
    }
    const plan = {
      head,
      lineFor: (answer: ResponseHead) => refusalLines(answer, docket.id, grant),
      renewable: true,
      scrub: new AnswerScrub(grant, this.#request.minor, this.#exchange),
    };
    const renewal = async (): Promise<Buffer | undefined> => {
      const injection = await grant.renew();
      return injection === undefined ? undefined : rewriteRequestHead(this.#request, this.#target, injection);
    };
    this.#exchange.forward(docket, this.#origin.carrying(grant), plan, renewal);
  }

  pass(allowPrivateAddress: boolean): void {
    this.#exchange.forward(this.docket, this.#origin.plain(allowPrivateAddress), {
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
