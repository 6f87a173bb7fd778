import type { ServerHttp2Session } from 'node:http2';

/** The number before the first stream, 1. */
const none = -1;

/**
 * Counts requests that nghttp2 rejected before Node saw them: malformed ones (RFC 9113 §8.1.1), and those beyond the
 * connection's limits. Node reports neither. But a client numbers its streams one after another, so each rejected one
 * leaves a gap.
 */
export class UnreadRequests {
  /**
   * The client has yet to acknowledge a PING. It never will if it has vanished, or if nghttp2 has given up the session.
   * Node reports neither, and keeps the connection.
   */
  pingPending = false;
  /** The highest stream that was received, or counted as unread. */
  #settled = none;
  #seenBytes = 0;
  readonly #session: ServerHttp2Session;
  readonly #bytesRead: () => number;
  /** `begun`: they are not the first of the connection. */
  readonly #onUnread: (count: number, begun: boolean) => void;

  constructor(
    session: ServerHttp2Session,
    bytesRead: () => number,
    onUnread: (count: number, begun: boolean) => void,
  ) {
    this.#session = session;
    this.#bytesRead = bytesRead;
    this.#onUnread = onUnread;
  }

  /** This stream is a request. */
  received(stream: number): void {
    this.settle(stream - 2);
    if (stream > this.#settled) this.#settled = stream;
  }

  /** Sends a PING if the client has sent anything since its last acknowledgment. */
  look(): void {
    if (!this.pingPending && this.#bytesRead() !== this.#seenBytes) this.probe();
  }

  /**
   * Sends a PING. A request's header block may be incomplete now, but no other frame is allowed in it (RFC 9113 §6.10):
   * an acknowledgment proves that it was sent.
   */
  probe(): void {
    if (this.#session.destroyed) return;
    const last = this.last;
    this.pingPending = true;
    this.#session.ping((error) => {
      if (error !== null) return;
      this.pingPending = false;
      this.#seenBytes = this.#bytesRead();
      this.settle(last);
    });
  }

  /** The highest stream that the client has opened so far. */
  get last(): number {
    return this.#session.state.lastProcStreamID || none;
  }

  /** All streams up to this one were received, or never will be. */
  settle(last: number): void {
    if (last <= this.#settled) return;
    const count = Math.floor((last - this.#settled) / 2);
    const begun = this.#settled !== none;
    this.#settled = last;
    this.#onUnread(count, begun);
  }
}
