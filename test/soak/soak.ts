import { runHttp1, runPlain } from './client-http1.ts';
import { runHttp2 } from './client-http2.ts';
import { runOffence } from './offences.ts';
import { Chance, pause } from './payload.ts';
import { secureHosts } from './plan.ts';
import { openSoakFixture, type SoakFixture } from './soak-fixture.ts';
import type { Environs } from './tunnel.ts';
import { Broken } from './wire.ts';

export interface SoakOptions {
  readonly seed: number;
  /** Ends after so many requests, or at the time, whichever comes first. */
  readonly requests: number;
  readonly minutes: number;
  /** Requests in a second, at the most. */
  readonly rate: number;
  readonly clients: number;
  /** Requests between two changes of connections. */
  readonly changeEvery: number;
  /** Called about every 15 seconds. */
  readonly onSample?: (sample: Sample) => void;
  readonly onViolation?: (text: string) => void;
}

export interface Sample {
  readonly seconds: number;
  readonly requests: number;
  readonly residentKb: number;
  readonly openSockets: number;
  readonly violations: number;
}

export interface Figures {
  readonly requests: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  readonly samples: readonly Sample[];
  readonly changes: number;
  readonly openSockets: { readonly before: number; readonly after: number };
  /** Requests that nothing is known of any more although all is over. */
  readonly open: number;
}

const sampleMs = 15_000;
const settleMs = 20_000;
/** No plan lets a request take so long. */
const stuckMs = 120_000;

/** Mixed load through a run of the real program, with everybody misbehaving, and every request followed to its end. */
export async function soak(options: SoakOptions): Promise<Figures> {
  const soakFixture = await openSoakFixture();
  const { ledger } = soakFixture;
  ledger.onViolation = options.onViolation;
  const samples: Sample[] = [];
  const startedMs = performance.now();
  const untilMs = startedMs + options.minutes * 60_000;
  let changes = 0;
  try {
    const before = soakFixture.openSockets();
    let isOver = false;
    const sample = (): void => {
      const one = {
        seconds: Math.round((performance.now() - startedMs) / 1000),
        requests: ledger.begun,
        residentKb: soakFixture.residentKb(),
        openSockets: soakFixture.openSockets(),
        violations: ledger.counts.get('violation') ?? 0,
      };
      samples.push(one);
      options.onSample?.(one);
    };
    const sampling = setInterval(sample, sampleMs);
    const watching = setInterval(() => ledger.accuseStuck(stuckMs), sampleMs);
    const changing = (async () => {
      for (let next = options.changeEvery; !isOver; ) {
        await pause(50);
        if (ledger.begun < next) continue;
        next = ledger.begun + options.changeEvery;
        const change = soakFixture.changes[
          changes % soakFixture.changes.length
        ] as SoakFixture['changes'][number];
        changes += 1;
        await change.run();
        ledger.count(`change: ${change.name}`);
      }
    })();
    const environs: Environs = { ...soakFixture.environs, ...pace(options, soakFixture) };
    const chance = new Chance(options.seed);
    const isDone = (): boolean => ledger.begun >= options.requests || performance.now() >= untilMs;
    await Promise.all(
      Array.from({ length: options.clients }, (_, index) => client(environs, chance.fork(), index, isDone)),
    );
    isOver = true;
    await changing;
    clearInterval(sampling);
    clearInterval(watching);
    soakFixture.upstream.closeConnections();
    await soakFixture.endRun();
    await soakFixture.auditRead();
    const deadline = Date.now() + settleMs;
    while (soakFixture.openSockets() > before && Date.now() < deadline) await pause(50);
    sample();
    ledger.close();
    return {
      requests: ledger.begun,
      counts: Object.fromEntries([...ledger.counts].sort()),
      violations: ledger.violations,
      samples,
      changes,
      openSockets: { before, after: soakFixture.openSockets() },
      open: ledger.open.filter(({ outcome }) => outcome === undefined).length,
    };
  } finally {
    await soakFixture.close();
  }
}

/** Holds requests back to the rate that was asked for, and names them. */
function pace({ rate }: SoakOptions, { ledger }: SoakFixture): Pick<Environs, 'begin' | 'nextNonce'> {
  let next = performance.now();
  let count = 0;
  return {
    async begin() {
      const now = performance.now();
      next = Math.max(next + 1000 / rate, now - 1000);
      if (next > now) await pause(next - now);
    },
    nextNonce() {
      count += 1;
      return `n${count.toString(36)}-${ledger.begun.toString(36)}`;
    },
  };
}

async function client(
  environs: Environs,
  chance: Chance,
  index: number,
  isDone: () => boolean,
): Promise<void> {
  while (!isDone()) {
    try {
      const host = chance.pick(secureHosts);
      if (chance.happens(0.04)) await runOffence(environs, chance);
      else if (chance.happens(0.06)) await runPlain(environs, chance);
      else if (index % 3 === 0) await runHttp2(environs, chance, host);
      else await runHttp1(environs, chance, host);
    } catch (error) {
      if (error instanceof Broken) environs.ledger.count('a client that could not begin');
      else
        environs.ledger.violation(
          `a client failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
        );
      await pause(20);
    }
  }
}
