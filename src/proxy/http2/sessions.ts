import { type ClientHttp2Session, connect, constants, type SecureClientSessionOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Timeouts } from '../contract.ts';
import type { IdleMonitor, Live, LiveRun, Monitored } from '../runs/index.ts';
import { makeDestroySafe } from './safe-destroy.ts';
import { connectionWindowBytes, maxSessionMegabytes, streamWindowBytes } from './windows.ts';

/** How many streams one connection carries before another is opened, if the upstream allows as many. */
const maxStreams = 100;
const unusedMs = 60_000;
/** What nghttp2 can relay: 64 KiB, less what is added to a response. With more, Node would end the client's session. */
const maxHeaderListBytes = 63 * 1024;

/** What ends an idle connection, and after how long. */
export interface IdleOptions {
  readonly idleMonitor: Pick<IdleMonitor, 'add' | 'remove'>;
  readonly timeouts: Timeouts;
}

interface UpstreamSessionOptions {
  readonly socket: TLSSocket;
  /** `host:port`. */
  readonly authority: string;
  readonly run: LiveRun;
  readonly idle: IdleOptions;
  /** The session takes no more streams. */
  readonly onLeave: (session: UpstreamSession) => void;
}

/** One HTTP/2 connection to an upstream, shared by all streams that carry the same credential. */
export class UpstreamSession implements Live, Monitored {
  readonly session: ClientHttp2Session;
  connection: string | undefined;
  active = 0;
  #leaving = false;
  readonly #run: LiveRun;
  readonly #socket: TLSSocket;
  readonly #idle: IdleOptions;
  /** The upstream has yet to acknowledge a probe. */
  #probePending = false;
  /** It had yet to acknowledge one when the monitor last checked: no new streams until it does. */
  #doubtful = false;

  constructor({ socket, authority, run, idle, onLeave }: UpstreamSessionOptions) {
    this.#run = run;
    this.#socket = socket;
    this.#idle = idle;
    // A socket whose handshake is done may still report that it is connecting.
    Object.assign(socket, { secureConnecting: false });
    this.session = connect(`https://${authority}`, {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: maxHeaderListBytes,
      },
      maxHeaderListPairs: 256,
      maxSessionMemory: maxSessionMegabytes,
    } as SecureClientSessionOptions);
    makeDestroySafe(this.session, [socket], idle.timeouts.lingerMs);
    this.session.on('connect', () => {
      // The run may have ended since.
      if (!this.session.destroyed) this.session.setLocalWindowSize(connectionWindowBytes);
    });
    const leave = (): void => {
      if (this.#leaving) return;
      this.#leaving = true;
      run.remove(this);
      onLeave(this);
    };
    this.session.on('close', () => idle.idleMonitor.remove(this));
    this.session.on('goaway', leave);
    this.session.on('error', leave);
    this.session.on('close', leave);
    this.session.setTimeout(unusedMs, () => {
      if (this.active === 0) this.session.close();
    });
    idle.idleMonitor.add(this);
    run.add(this);
  }

  get usable(): boolean {
    const limit = Math.min(maxStreams, this.session.remoteSettings?.maxConcurrentStreams ?? maxStreams);
    return (
      !this.#leaving &&
      !this.#doubtful &&
      !this.session.closed &&
      !this.session.destroyed &&
      this.active < Math.max(1, limit)
    );
  }

  get allowsExtendedConnect(): boolean {
    return this.session.remoteSettings?.enableConnectProtocol === true;
  }

  cut(): void {
    this.#run.remove(this);
    // Without an error, responses in progress would look complete.
    this.session.destroy(new Error('cut'), constants.NGHTTP2_CANCEL);
  }

  /**
   * Streams wait and nothing arrives: probes the upstream, then cuts it. It may have vanished, or nghttp2 may have given
   * up the session after an error of the upstream. Node reports neither, and the streams would wait for good. The probe
   * is an empty SETTINGS, which must be acknowledged (RFC 9113 §6.5.3): gRPC servers limit PING. A successful write
   * proves nothing, since the network accepts it.
   */
  onIdle(): void {
    if (this.#probePending) this.cut();
    else this.#probe();
  }

  #probe(): void {
    if (this.session.destroyed) return;
    this.#probePending = true;
    this.session.settings({}, (error) => {
      if (error === null) this.#probePending = false;
    });
  }

  progress(): number {
    this.#doubtful = this.#probePending;
    return this.#socket.bytesRead;
  }

  idleMs(): number {
    return this.active > 0 || this.#probePending ? this.#idle.timeouts.headMs : Number.POSITIVE_INFINITY;
  }
}

export type Dial = () => Promise<TLSSocket>;

/** A run's HTTP/2 connections to upstreams, by credential and authority. */
export class SessionPool {
  readonly #run: LiveRun;
  readonly #idle: IdleOptions;
  readonly #sessions = new Map<string, Set<UpstreamSession>>();
  readonly #dialling = new Map<string, Promise<UpstreamSession | undefined>>();

  constructor(run: LiveRun, idle: IdleOptions) {
    this.#run = run;
    this.#idle = idle;
  }

  /** A connection that can carry a stream now. A probed one, which has no credential yet, is taken for this one. */
  ready(authority: string, connection: string | undefined): UpstreamSession | undefined {
    const own = this.#find(keyOf(authority, connection));
    if (own !== undefined) return own;
    const spare = this.#find(keyOf(authority, spareConnection));
    if (spare === undefined) return undefined;
    this.#sessions.get(keyOf(authority, spareConnection))?.delete(spare);
    spare.connection = connection;
    this.#add(keyOf(authority, connection), spare);
    return spare;
  }

  /** A new connection, one dial at a time; `undefined` if the upstream does not support HTTP/2. */
  async open(
    authority: string,
    connection: string | undefined,
    dial: Dial,
  ): Promise<UpstreamSession | undefined> {
    const key = keyOf(authority, connection);
    const underWay = this.#dialling.get(key);
    if (underWay !== undefined) {
      const shared = await underWay;
      if (shared === undefined || shared.usable) return shared;
      return this.open(authority, connection, dial);
    }
    const dialling = this.#dial(authority, key, connection, dial);
    this.#dialling.set(key, dialling);
    try {
      return await dialling;
    } finally {
      this.#dialling.delete(key);
    }
  }

  /** A connection kept for the first stream; `undefined` if the upstream does not support HTTP/2. */
  async probe(authority: string, dial: Dial): Promise<UpstreamSession | undefined> {
    for (const [key, sessions] of this.#sessions) {
      if (!key.startsWith(`${authority} `)) continue;
      for (const session of sessions) if (session.usable) return session;
    }
    return this.open(authority, spareConnection, dial);
  }

  async #dial(
    authority: string,
    key: string,
    connection: string | undefined,
    dial: Dial,
  ): Promise<UpstreamSession | undefined> {
    const socket = await dial();
    if (socket.alpnProtocol !== 'h2') {
      socket.on('error', () => {});
      socket.destroy();
      return undefined;
    }
    const session = new UpstreamSession({
      socket,
      authority,
      run: this.#run,
      idle: this.#idle,
      onLeave: (leaving) => {
        for (const sessions of this.#sessions.values()) sessions.delete(leaving);
      },
    });
    if (connection !== spareConnection) session.connection = connection;
    this.#add(key, session);
    // Its settings say how many streams it allows, and whether it supports extended CONNECT.
    await new Promise<void>((resolve) => {
      session.session.once('remoteSettings', () => resolve());
      session.session.once('close', () => resolve());
    });
    return session;
  }

  #find(key: string): UpstreamSession | undefined {
    for (const session of this.#sessions.get(key) ?? []) if (session.usable) return session;
    return undefined;
  }

  #add(key: string, session: UpstreamSession): void {
    const sessions = this.#sessions.get(key);
    if (sessions === undefined) this.#sessions.set(key, new Set([session]));
    else sessions.add(session);
  }
}

const spareConnection = '\0spare';

function keyOf(authority: string, connection: string | undefined): string {
  return `${authority} ${connection ?? ''}`;
}

const pools = new WeakMap<LiveRun, SessionPool>();

export function sessionPoolOf(run: LiveRun, idle: IdleOptions): SessionPool {
  const known = pools.get(run);
  if (known !== undefined) return known;
  const pool = new SessionPool(run, idle);
  pools.set(run, pool);
  return pool;
}
