import type { Entry } from './ledger.ts';

interface Slot {
  readonly field: string;
  readonly prefix: string;
  /** What may be on the wire, oldest first; `undefined` where nothing is injected. */
  readonly values: (string | undefined)[];
  /** What applies to requests that begin now, at least. */
  settled: number;
  /** Tells of all values so far, where somebody else makes them. */
  readonly made: (() => readonly string[]) | undefined;
}

/** What stands in for a credential in every request that a client of the soak sends. */
export const phantomField = 'Bearer phantom-of-the-client';

/** Which credential is the right one, for each host, at each moment. */
export class Keyring {
  readonly #slots = new Map<string, Slot>();
  readonly #flaky: ReadonlySet<string>;
  /** When what was live on a host was cut, by the clock of this process. */
  readonly #cuts: { readonly host: string; readonly fromMs: number; toMs: number }[] = [];

  constructor(flaky: readonly string[]) {
    this.#flaky = new Set(flaky);
  }

  add(hosts: readonly string[], field: string, prefix: string, value: string): void {
    this.#add(hosts, { field, prefix, values: [value], settled: 0, made: undefined });
  }

  /** As `add`, for a host whose credentials are made by somebody else. */
  follow(host: string, field: string, prefix: string, made: () => readonly string[]): void {
    this.#add([host], { field, prefix, values: [], settled: 0, made });
  }

  #add(hosts: readonly string[], slot: Slot): void {
    for (const host of hosts) this.#slots.set(host, slot);
  }

  #slot(host: string): Slot | undefined {
    const slot = this.#slots.get(host);
    for (const value of slot?.made?.().slice(slot.values.length) ?? []) slot?.values.push(value);
    return slot;
  }

  fieldFor(host: string): string {
    return this.#slots.get(host)?.field ?? 'authorization';
  }

  isFlaky(host: string): boolean {
    return this.#flaky.has(host);
  }

  floor(host: string): number {
    return this.#slots.get(host)?.settled ?? 0;
  }

  /** From now on this may be used as well. */
  offer(host: string, value: string | undefined): void {
    this.#slots.get(host)?.values.push(value);
  }

  /** From now on nothing older may be. */
  settle(host: string): void {
    const slot = this.#slots.get(host);
    if (slot !== undefined) slot.settled = slot.values.length - 1;
  }

  /** What is live on this host is cut while `work` runs. */
  async cutting(host: string, work: () => Promise<void>): Promise<void> {
    const cut = { host, fromMs: performance.now(), toMs: Number.POSITIVE_INFINITY };
    this.#cuts.push(cut);
    await work();
    cut.toMs = performance.now() + noticeMs;
  }

  /** What was in flight over HTTP/2 just now may be lost with its connection. */
  disturb(host: string): void {
    const fromMs = performance.now();
    this.#cuts.push({ host: http2Of(host), fromMs, toMs: fromMs + disturbanceMs });
  }

  wasCut(host: string, isHttp2: boolean, fromMs: number, toMs: number): boolean {
    const names = isHttp2 ? [host, http2Of(host)] : [host];
    return this.#cuts.some((cut) => names.includes(cut.host) && cut.fromMs <= toMs && fromMs <= cut.toMs);
  }

  /** Whether this request may have met a connection that was revoked. */
  isWithout({ plan, floor }: Entry): boolean {
    return this.#slot(plan.host)?.values.slice(floor).includes(undefined) ?? false;
  }

  isReal(host: string, found: readonly string[]): boolean {
    const slot = this.#slot(host);
    return slot?.values.some((value) => value !== undefined && found.includes(slot.prefix + value)) ?? false;
  }

  /** What is wrong with the values that arrived where a credential would be. */
  faultOf(entry: Entry, found: readonly string[]): string | undefined {
    if (found.length !== 1) return `${found.length} values where one credential goes`;
    const [value] = found;
    const slot = this.#slot(entry.plan.host);
    if (slot === undefined || !entry.intercepted) {
      return value === phantomField ? undefined : 'something was put in where no route leads';
    }
    for (let index = slot.values.length - 1; index >= entry.floor; index -= 1) {
      const right = slot.values[index];
      if (value === (right === undefined ? phantomField : slot.prefix + right)) return undefined;
    }
    const old = slot.values
      .slice(0, entry.floor)
      .some((own) => own !== undefined && value === slot.prefix + own);
    return old ? 'an old credential' : 'not the credential of this host';
  }

  /** Every real secret so far. */
  get secrets(): readonly string[] {
    return [...new Set(this.#slots.values())].flatMap(({ values }) =>
      values.filter((value) => value !== undefined),
    );
  }

  /** The last secrets that have no business at this host. */
  foreignTo(host: string): readonly string[] {
    const own = new Set(this.#slot(host)?.values);
    return this.secrets.filter((secret) => !own.has(secret)).slice(-8);
  }
}

const disturbanceMs = 2_000;
/** A client may begin a request on a connection whose end it has not noticed yet. */
const noticeMs = 500;

function http2Of(host: string): string {
  return `${host} over HTTP/2`;
}
