import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import {
  apiHost,
  type Fixture,
  openFixture,
  phantomOf,
  routeTo,
  secret,
} from '../../../src/proxy/testing/test-fixture.ts';
import {
  dialRaw,
  Flag,
  type Frame,
  type RawClient,
  Type,
} from '../../../src/proxy/testing/test-http2-frames.ts';
import { Chance } from '../../soak/payload.ts';
import { type ClientScript, clientScript } from './client.ts';
import { LiveRecorder } from './live.ts';
import { MessageReader, Splitter, valueIn } from './messages.ts';
import {
  type ClientSide,
  checkAnswers,
  checkRecord,
  checkRequests,
  must,
  phantom,
  renewedSecret,
} from './rules.ts';
import { type FuzzUpstream, markOf, serveFuzzed } from './upstream.ts';

export interface PlayFigures {
  readonly requests: number;
  readonly reached: number;
  readonly answered: number;
}

/** Up to three clients and an upstream at once, with the real proxy between them; throws where a rule is broken. */
export async function play(seed: number): Promise<PlayFigures> {
  const chance = new Chance(seed);
  const isClientHostile = chance.happens(0.8);
  const isUpstreamHostile = chance.happens(0.75);
  const faults: unknown[] = [];
  const note = (error: unknown): void => {
    faults.push(error);
  };
  const live = new LiveRecorder();
  const baseline = openHandles();
  process.on('uncaughtException', note).on('unhandledRejection', note);
  const upstream = await serveFuzzed((name) => new Chance(hashOf(`${seed} ${name}`)), isUpstreamHostile);
  const fixture = await openFixture({
    routes: [routeTo(apiHost, { pathPrefix: '/v1' })],
    timeouts:
      isUpstreamHostile || isClientHostile
        ? { headMs: 200, exchangeMs: 300, keepAliveMs: 300, lingerMs: 40 }
        : {},
    spec: {
      phantoms: [phantomOf(phantom)],
      credentials: {
        peek: () => ({ version: 1, secret }),
        acquire: async () => ({ version: 1, secret }),
        renew: async () => (seed % 2 === 0 ? { version: 2, secret: renewedSecret } : undefined),
      },
    },
  });
  fixture.ports.set(`${apiHost}:443`, upstream.at);
  try {
    const scripts = Array.from({ length: 1 + chance.below(3) }, (_, index) =>
      clientScript(chance.fork(), 1 + 100 * index, isClientHostile),
    );
    const clients = await Promise.all(scripts.map((script) => converse(fixture, script, upstream)));
    await freed(() => live.busy, 'something of a client is left');
    checkAll(clients, upstream, fixture);
    if (!isClientHostile && !isUpstreamHostile) for (const client of clients) checkComplete(client);
    await checkService(fixture, upstream);
    return figuresOf(clients, upstream);
  } finally {
    await fixture.close();
    await upstream.close();
    try {
      await freed(() => [...live.open].map((one) => one.constructor.name), 'something of the run is left');
      await freed(
        () =>
          openHandles() > baseline
            ? [`${openHandles()} handles, ${baseline} before`, ...process.getActiveResourcesInfo()]
            : [],
        'sockets are left',
      );
      must(faults.length === 0, 'an error that nobody handled', faults.map(String));
    } finally {
      live.stop();
      process.off('uncaughtException', note).off('unhandledRejection', note);
    }
  }
}

function hashOf(text: string): number {
  let hash = 0;
  for (const letter of text) hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return hash;
}

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(?:TCP|TLS|Pipe|HTTP2)/.test(name)).length;
}

/** Nothing is left after so many turns of the loop as it may take on a slow machine. */
async function freed(left: () => readonly string[], rule: string): Promise<void> {
  for (let tries = 0; left().length > 0 && tries < 500; tries += 1) await (tries < 20 ? turn() : pause(10));
  must(left().length === 0, rule, left());
}

interface Client extends ClientSide {
  readonly raw: RawClient;
}

async function converse(fixture: Fixture, script: ClientScript, upstream: FuzzUpstream): Promise<Client> {
  const raw = await dialRaw(fixture);
  const splitter = new Splitter(true);
  const requests = new MessageReader('request', 4_096);
  if (script.deaf) raw.pause();
  for (const { bytes, turns } of script.segments) {
    if (raw.closed) break;
    for (const one of splitter.push(bytes)) requests.take(one);
    raw.send(bytes);
    for (let left = turns; left > 0; left -= 1) await turn();
  }
  if (splitter.begun !== undefined) requests.take(splitter.begun);
  if (script.deaf) raw.resume();
  if (!script.hostile) {
    const asked = requests.messages.map(({ stream }) => stream);
    const isOver = (frames: readonly Frame[], stream: number): boolean =>
      frames.some(
        (one) => one.stream === stream && (one.type === Type.reset || (one.flags & Flag.endStream) !== 0),
      );
    await raw.until((frames) => asked.every((stream) => isOver(frames, stream)));
  } else if (!script.leaves) await untilQuiet(() => raw.frames.length + upstream.frames);
  raw.close();
  const answers = new MessageReader('answer', Number.POSITIVE_INFINITY, (stream) => {
    const asked = requests.messages.find((one) => one.stream === stream);
    return asked === undefined ? undefined : valueIn(asked.head, ':method');
  });
  for (const one of raw.frames) answers.take(one);
  return { raw, requests, answers, frames: raw.frames };
}

/** Until nothing has moved for a number of turns. */
async function untilQuiet(moved: () => number): Promise<void> {
  for (let still = 0, before = -1; still < 8; ) {
    for (let turns = 0; turns < 10; turns += 1) await turn();
    await pause(1);
    still = moved() === before ? still + 1 : 0;
    before = moved();
  }
}

function checkAll(clients: readonly Client[], upstream: FuzzUpstream, fixture: Fixture): void {
  const { conversations } = upstream;
  for (const one of conversations) one.close();
  checkRequests(conversations, clients);
  for (const client of clients) checkAnswers(client, conversations);
  checkRecord(fixture.decisions, clients, conversations);
}

/** Who behaves is served, by who behaves: every request has its answer, whole. */
function checkComplete({ requests, answers }: Client): void {
  for (const { stream, head } of requests.messages) {
    const got = answers.messages.find((one) => one.stream === stream);
    must(
      got?.whole === true && valueIn(got.head, 'x-mark') === markOf(head),
      'a good request got no good answer',
      head,
      got?.head,
    );
  }
}

/** Once both peers behave again, they get through, whatever their predecessors left behind: at the latest by the third try. */
async function checkService(fixture: Fixture, upstream: FuzzUpstream): Promise<void> {
  upstream.hostile = false;
  for (const socket of upstream.sockets) socket.destroy();
  for (let tries = 1; ; tries += 1) {
    const script = clientScript(new Chance(1), 1_000, false);
    const client = await converse(fixture, script, upstream);
    try {
      checkComplete(client);
      return;
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

function figuresOf(clients: readonly Client[], upstream: FuzzUpstream): PlayFigures {
  return {
    requests: clients.reduce((sum, { requests }) => sum + requests.messages.length, 0),
    reached: upstream.conversations.reduce((sum, { requests }) => sum + requests.messages.length, 0),
    answered: clients.reduce((sum, { answers }) => sum + answers.messages.length, 0),
  };
}
