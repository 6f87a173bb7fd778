import type { PairingPort } from './port.ts';

/** Which sides are being read: turned only when that changes, since every turn is a call into a socket. */
export class Valves {
  /** The client, or the upstream, takes no more for now. */
  clientBlocked = false;
  upstreamBlocked = false;
  /** What changes the answer in passing is behind. */
  transformBlocked = false;
  readonly #port: PairingPort;
  #readsClient = true;
  #readsUpstream = true;

  constructor(port: PairingPort) {
    this.#port = port;
  }

  get answerBlocked(): boolean {
    return this.clientBlocked || this.transformBlocked;
  }

  /** A new connection to an upstream, or a pooled one: it is being read. */
  upstreamChanged(): void {
    this.transformBlocked = false;
    this.upstreamBlocked = false;
    this.#readsUpstream = true;
  }

  /** No upstream is left that could hold the client back: the word that it takes more again would never come. */
  upstreamGone(): void {
    this.upstreamBlocked = false;
  }

  readClient(on: boolean): void {
    if (on === this.#readsClient) return;
    this.#readsClient = on;
    this.#port.readClient(on);
  }

  readUpstream(on: boolean): void {
    if (on === this.#readsUpstream) return;
    this.#readsUpstream = on;
    this.#port.readUpstream(on);
  }
}
