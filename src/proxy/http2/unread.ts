import type { ServerHttp2Session } from 'node:http2';

/** So that the first stream, 1, is the next. */
const none = -1;

/**
 * Finds what nghttp2 turned away before it became a request: what is malformed (RFC 9113 §8.1.1), and what is beyond the
 * connection's limits. Node tells nothing of either. But a client numbers its streams one after another, so each of them
 * leaves a number that no request has.
 */
export class UnreadRequests {
  /**
   * The client has yet to acknowledge a PING. It never will where it is gone, or where nghttp2 has given up the session:
   * Node tells of neither in that case, and goes on holding the connection.
   */
  pingPending = false;
  /** The highest stream that was heard, or counted as unread. */
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

  /** Asks whether all is well, should the client have sent anything since it last said so. */
  look(): void {
    if (!this.pingPending && this.#bytesRead() !== this.#seenBytes) this.probe();
  }

  /**
   * A request may be in the middle of its header block, where no other frame is allowed (RFC 9113 §6.10): who acknowledges
   * a PING has sent all of it.
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

  /** All of them up to this one have been heard, or never will be. */
  settle(last: number): void {
    if (last <= this.#settled) return;
    const count = Math.floor((last - this.#settled) / 2);
    const begun = this.#settled !== none;
    this.#settled = last;
    this.#onUnread(count, begun);
  }
}
