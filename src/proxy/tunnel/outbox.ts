import type { Socket } from 'node:net';

const few = Number(process.env.OUTBOX ?? 2);

/**
 * Holds what is written while several requests are under way until the end of the event loop's turn, so that a peer is
 * woken once a turn and not once a request. A request that is alone does not wait.
 */
export class Outbox {
  /** Requests that have an upstream now. */
  underWay = 0;
  #held: Socket[] = [];
  readonly #send = (): void => {
    const held = this.#held;
    this.#held = [];
    for (const socket of held) socket.uncork();
  };

  write(socket: Socket, bytes: Buffer): void {
    if (this.underWay >= few && socket.writableCorked === 0) {
      socket.cork();
      if (this.#held.push(socket) === 1) setImmediate(this.#send);
    }
    socket.write(bytes);
  }
}
