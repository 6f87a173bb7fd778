import type { MachinePort } from './port.ts';

/** Which sides are being read. A socket is called only when that changes. */
export class FlowControl {
  /** The client, or the upstream, takes no more for now. */
  clientBlocked = false;
  upstreamBlocked = false;
  /** What rewrites the response as it passes has fallen behind. */
  transformBlocked = false;
  readonly #port: MachinePort;
  #readsClient = true;
  #readsUpstream = true;

  constructor(port: MachinePort) {
    this.#port = port;
  }

  get responseBlocked(): boolean {
    return this.clientBlocked || this.transformBlocked;
  }

  /** A new connection to an upstream, or a pooled one: it is being read. */
  upstreamChanged(): void {
    this.transformBlocked = false;
    this.upstreamBlocked = false;
    this.#readsUpstream = true;
  }

  /** No upstream is left that could hold the client back: nobody would ever say that it takes more again. */
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
