import type { TLSSocket } from 'node:tls';
import { AuthsomeError } from '../../errors.ts';
import type { Authority } from '../http1/index.ts';

export type Protocol = 'h2' | 'http/1.1';

/** Upstreams change what they speak, if seldom. */
const lifeMs = 60 * 60_000;
const maxKnown = 1_000;

type Dial = (alpn: readonly string[]) => Promise<TLSSocket>;

/**
 * Whether upstreams speak HTTP/1.1, found out once for all runs. It matters only to clients that offer both protocols, and
 * only an upstream that was never asked is asked: the usual connection waits for nothing.
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

  /** `undefined` where the upstream cannot be reached: then nothing is known, and it is asked again. */
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
  // One that chose nothing knows nothing of ALPN, or only of h2.
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
