import type { Socket } from 'node:net';
import type { IdleMonitor, Monitored } from '../runs/index.ts';

/** How much to buffer for a slow reader before reading from its peer stops. */
export const highWaterBytes = 256 * 1024;
const maxIdlePerKey = 64;
/** No request is sent this shortly before the upstream's own time limit: it might arrive too late, and be lost. */
const marginMs = 2_000;

/** Receives the events of an upstream connection. */
export interface UpstreamUser {
  upstreamBytes(chunk: Buffer): void;
  upstreamEnd(cleanly: boolean): void;
  upstreamDrained(): void;
}

/** One connection to an upstream, used by one session or waiting in the pool. */
export class Upstream implements Monitored {
  readonly socket: Socket;
  readonly key: string;
  /** `provider/connection` whose credential was sent on it. */
  readonly connection: string | undefined;
  user: UpstreamUser | undefined;
  /** How often it went back to the pool, and how long it may wait there. */
  givenBack = 0;
  keptForMs = Number.POSITIVE_INFINITY;
  #released = false;
  readonly #pool: UpstreamPool;

  constructor(socket: Socket, key: string, connection: string | undefined, pool: UpstreamPool) {
    this.socket = socket;
    this.key = key;
    this.connection = connection;
    this.#pool = pool;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      if (this.user === undefined) this.destroy();
      else this.user.upstreamBytes(chunk);
    });
    socket.on('drain', () => this.user?.upstreamDrained());
    socket.on('end', () => this.#over(true));
    socket.on('error', () => this.#over(false));
    socket.on('close', () => this.#over(false));
  }

  get usable(): boolean {
    return !this.#released && this.socket.writable && !this.socket.readableEnded;
  }

  write(bytes: Buffer): boolean {
    this.socket.write(bytes);
    return this.socket.writableLength < highWaterBytes;
  }

  destroy(): void {
    this.user = undefined;
    this.#released = true;
    this.#pool.forget(this);
    this.socket.destroy();
  }

  /** The socket without its listeners, for a relay. */
  release(): Socket {
    this.user = undefined;
    this.#released = true;
    this.#pool.forget(this);
    this.socket.removeAllListeners('data').removeAllListeners('drain').removeAllListeners('end');
    return this.socket;
  }

  #over(cleanly: boolean): void {
    if (this.#released) return;
    const user = this.user;
    if (user === undefined) this.destroy();
    else user.upstreamEnd(cleanly);
  }

  /** A connection in use is monitored through its user. */
  progress(): number {
    return this.givenBack;
  }

  idleMs(): number {
    return this.user === undefined ? this.keptForMs : Number.POSITIVE_INFINITY;
  }

  onIdle(): void {
    this.destroy();
  }
}

/** One run's connections to upstreams, last in first out per (connection, host, port, protocol). */
export class UpstreamPool {
  readonly maxIdleMs: number;
  readonly #idle = new Map<string, Upstream[]>();
  readonly #all = new Set<Upstream>();
  readonly #idleMonitor: IdleMonitor;

  constructor(idleMonitor: IdleMonitor, maxIdleMs: number) {
    this.#idleMonitor = idleMonitor;
    this.maxIdleMs = maxIdleMs;
  }

  take(key: string): Upstream | undefined {
    const waiting = this.#idle.get(key);
    for (;;) {
      const upstream = waiting?.pop();
      if (upstream === undefined) return undefined;
      if (upstream.usable) return upstream;
      upstream.destroy();
    }
  }

  adopt(socket: Socket, key: string, connection: string | undefined): Upstream {
    const upstream = new Upstream(socket, key, connection, this);
    this.#all.add(upstream);
    this.#idleMonitor.add(upstream);
    return upstream;
  }

  /** `idleMs`: how long the upstream says that it keeps the connection open. */
  give(upstream: Upstream, idleMs = Number.POSITIVE_INFINITY): void {
    upstream.user = undefined;
    upstream.keptForMs = Math.min(this.maxIdleMs, idleMs - marginMs);
    if (!upstream.usable || upstream.keptForMs <= 0) {
      upstream.destroy();
      return;
    }
    let waiting = this.#idle.get(upstream.key);
    if (waiting === undefined) {
      waiting = [];
      this.#idle.set(upstream.key, waiting);
    }
    if (waiting.length >= maxIdlePerKey) {
      upstream.destroy();
      return;
    }
    waiting.push(upstream);
    upstream.givenBack += 1;
  }

  forget(upstream: Upstream): void {
    if (!this.#all.delete(upstream)) return;
    this.#idleMonitor.remove(upstream);
    const waiting = this.#idle.get(upstream.key);
    const index = waiting?.indexOf(upstream) ?? -1;
    if (index !== -1) waiting?.splice(index, 1);
    if (waiting?.length === 0) this.#idle.delete(upstream.key);
  }

  /** Closes what carried this connection's credential; without an argument, everything. */
  drop(connection?: string): void {
    for (const upstream of [...this.#all]) {
      if (connection !== undefined && upstream.connection !== connection) continue;
      const user = upstream.user;
      upstream.destroy();
      user?.upstreamEnd(false);
    }
  }
}
