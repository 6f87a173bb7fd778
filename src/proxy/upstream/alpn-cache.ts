import type { TLSSocket } from 'node:tls';
import { AuthsomeError } from '../../errors.ts';
import type { Authority } from '../http1/index.ts';

export type Protocol = 'h2' | 'http/1.1';

/** An upstream may change its protocols, if seldom. */
const lifeMs = 60 * 60_000;
const maxKnown = 1_000;

type Dial = (alpn: readonly string[]) => Promise<TLSSocket>;

/**
 * Remembers for all runs whether each upstream supports HTTP/1.1. Only a client that offers both protocols to an unknown
 * upstream has to wait for a probe.
 */
export class AlpnCache {
  readonly #known = new Map<string, { readonly protocol: Protocol; readonly untilMs: number }>();
  readonly #probing = new Map<string, Promise<Protocol | undefined>>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  known(authority: Authority): Protocol | undefined {
    const entry = this.#known.get(keyOf(authority));
    return entry !== undefined && entry.untilMs > this.#nowMs() ? entry.protocol : undefined;
  }

  forget(authority: Authority): void {
    this.#known.delete(keyOf(authority));
  }

  /** `undefined` if the upstream cannot be reached: nothing is remembered then, and the next call probes again. */
  probe(authority: Authority, dial: Dial): Promise<Protocol | undefined> {
    const key = keyOf(authority);
    const underWay = this.#probing.get(key);
    if (underWay !== undefined) return underWay;
    const probing = probeProtocol(dial).then(
      (protocol) => {
        this.#probing.delete(key);
        if (this.#known.size >= maxKnown) this.#known.clear();
        this.#known.set(key, { protocol, untilMs: this.#nowMs() + lifeMs });
        return protocol;
      },
      () => {
        this.#probing.delete(key);
        return undefined;
      },
    );
    this.#probing.set(key, probing);
    return probing;
  }
}

const keyOf = ({ host, port }: Authority): string => `${host}:${port}`;

async function probeProtocol(dial: Dial): Promise<Protocol> {
  try {
    if ((await chosen(dial, ['http/1.1'])) === 'http/1.1') return 'http/1.1';
  } catch (error) {
    if (isRefusal(error)) return 'h2';
    throw error;
  }
  // An upstream that chose nothing does not support ALPN, or supports only h2.
  return (await chosen(dial, ['h2', 'http/1.1'])) === 'h2' ? 'h2' : 'http/1.1';
}

async function chosen(dial: Dial, alpn: readonly string[]): Promise<string | false | null> {
  const socket = await dial(alpn);
  socket.on('error', () => {});
  socket.destroy();
  return socket.alpnProtocol;
}

/** RFC 7301 §3.2: no_application_protocol. */
function isRefusal(error: unknown): boolean {
  const cause = error instanceof AuthsomeError ? error.cause : undefined;
  return (
    cause instanceof Error && 'code' in cause && cause.code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'
  );
}
