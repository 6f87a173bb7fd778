import type { MachinePort } from './port.ts';

/** Which sides are being read. A socket is paused or resumed only when that changes. */
export class FlowControl {
  /** The client, or the upstream, accepts no more data for now. */
  clientBlocked = false;
  upstreamBlocked = false;
  /** The transform of the response has fallen behind. */
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

  /** There is a new upstream connection, which is being read. */
  upstreamChanged(): void {
    this.transformBlocked = false;
    this.upstreamBlocked = false;
    this.#readsUpstream = true;
  }

  /** The upstream connection is closed. It will never drain, so it must not block the client. */
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
