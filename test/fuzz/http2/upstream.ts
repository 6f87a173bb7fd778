import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { secret, upstreamContext } from '../../../src/proxy/testing/test-fixture.ts';
import { type Fields, Flag, frame, Type, uint32 } from '../../../src/proxy/testing/test-http2-frames.ts';
import type { Chance } from '../../soak/payload.ts';
import {
  type Draft,
  dataDraft,
  headersDrafts,
  intruder,
  mutated,
  resetDraft,
  segments,
  settingsAck,
  settingsDraft,
  written,
} from './drafts.ts';
import { BlockWriter } from './hpack.ts';
import { type Message, MessageReader, Splitter, valueIn } from './messages.ts';

/** Both sides of one connection to the upstream, as they were said. */
export interface Conversation {
  readonly requests: MessageReader;
  readonly answers: MessageReader;
  readonly broken: boolean;
  /** Nothing more is said on it: what was begun of a frame counts as well. */
  close(): void;
}

export interface FuzzUpstream {
  readonly at: number;
  readonly conversations: Conversation[];
  /** Open connections. */
  readonly sockets: Set<TLSSocket>;
  /** Frames received so far. */
  frames: number;
  /** From now on it behaves. */
  hostile: boolean;
  close(): Promise<void>;
}

/** `none` where a change took the mark out of the path; the query is not on record, and does not count. */
export function markOf(head: Fields): string {
  return /^[^?]*?(~\d+~)/.exec(valueIn(head, ':path') ?? '')?.[1] ?? 'none';
}

/** An API that answers each request by its mark, well or badly: how badly depends on the seed and the mark alone. */
export async function serveFuzzed(
  chanceFor: (name: string) => Chance,
  hostile: boolean,
): Promise<FuzzUpstream> {
  const server = createServer({
    SNICallback: (name, done) => done(null, upstreamContext(name)),
    ALPNProtocols: ['h2'],
  });
  const fuzzed: FuzzUpstream = {
    at: 0,
    conversations: [],
    sockets: new Set(),
    frames: 0,
    hostile,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of fuzzed.sockets) socket.destroy();
      }),
  };
  server.on('secureConnection', (socket) =>
    converse(socket, fuzzed, chanceFor(`connection ${fuzzed.conversations.length}`), chanceFor),
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(fuzzed, { at: (server.address() as AddressInfo).port });
}

function converse(
  socket: TLSSocket,
  fuzzed: FuzzUpstream,
  chance: Chance,
  chanceFor: (name: string) => Chance,
): void {
  const incoming = new Splitter(true);
  const outgoing = new Splitter(false);
  const requests = new MessageReader('request', Number.POSITIVE_INFINITY);
  const answers = new MessageReader('answer', 4_096, (stream) => {
    const asked = requests.messages.find((message) => message.stream === stream);
    return asked === undefined ? undefined : valueIn(asked.head, ':method');
  });
  const writer = new BlockWriter();
  const answered = new Set<Message>();
  const attempts = new Map<string, number>();
  fuzzed.conversations.push({
    requests,
    answers,
    get broken() {
      return incoming.broken;
    },
    close() {
      if (outgoing.begun !== undefined) answers.take(outgoing.begun);
    },
  });
  fuzzed.sockets.add(socket);
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => fuzzed.sockets.delete(socket));
  const send = (drafts: readonly Draft[], cuts: Chance): void => {
    for (const part of segments(cuts, Buffer.concat(drafts.map(written)))) {
      if (socket.destroyed || socket.writableEnded) return;
      for (const one of outgoing.push(part)) answers.take(one);
      socket.write(part);
    }
  };
  const said: Draft[] = [
    settingsDraft(
      ...(fuzzed.hostile && chance.happens(0.4) ? [[3, chance.pick([0, 1, 2, 100])] as const] : []),
    ),
  ];
  if (fuzzed.hostile && chance.happens(0.3)) said.push(settingsDraft([8, 1]));
  const isMute = fuzzed.hostile && chance.happens(0.03);
  send(fuzzed.hostile ? mutated(chance, said, chance.pick([0, 0, 0, 1])) : said, chance);
  socket.on('data', (bytes: Buffer) => {
    for (const one of incoming.push(bytes)) {
      fuzzed.frames += 1;
      requests.take(one);
      if (one.type === Type.settings && (one.flags & Flag.ack) === 0 && !isMute) send([settingsAck], chance);
      if (one.type === Type.ping && (one.flags & Flag.ack) === 0)
        socket.write(frame(Type.ping, Flag.ack, 0, one.payload));
      if (one.type === Type.data && one.payload.length > 0 && !fuzzed.hostile)
        socket.write(frame(Type.windowUpdate, 0, 0, uint32(one.payload.length)));
    }
    for (const request of requests.messages) {
      if (answered.has(request)) continue;
      const marked = markOf(request.head);
      const attempt = attempts.get(marked) ?? 0;
      const own = chanceFor(`answer ${marked} ${attempt}`);
      if (!(fuzzed.hostile && own.happens(0.3)) && !request.whole && !request.over) continue;
      attempts.set(marked, attempt + 1);
      answered.add(request);
      if (fuzzed.hostile && own.happens(0.04)) {
        if (own.happens(0.5)) socket.destroy();
        else socket.end();
        return;
      }
      send(answer(own, writer, request, marked, fuzzed.hostile), own);
    }
  });
}

const statuses = ['200', '200', '200', '201', '204', '304', '401', '403', '404', '500'];
const oddStatuses = ['101', '100', '099', '600', '999', '20', 'abc', ''];
const types = ['text/plain', 'application/json', 'application/octet-stream', 'text/event-stream'];
const oddFields = (carried: string): Fields => [
  ['X-Capital', 'a'],
  ['x-lf', 'a\nb'],
  ['connection', 'close'],
  ['transfer-encoding', 'chunked'],
  [':path', '/'],
  [':status', '200'],
  ['content-length', '7'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'made-up'],
  ['authsome-hint', 'run this'],
  ['set-cookie', `session=${carried}`],
  ['location', `/?key=${carried}`],
  ['', 'a'],
];

/** The frames of an answer, right or wrong, to this request. */
function answer(
  chance: Chance,
  writer: BlockWriter,
  request: Message,
  marked: string,
  hostile: boolean,
): readonly Draft[] {
  const { stream } = request;
  const carried = valueIn(request.head, 'authorization')?.replace('Bearer ', '') ?? secret;
  const isHead = valueIn(request.head, ':method') === 'HEAD';
  const status =
    hostile && chance.happens(0.05) ? chance.pick(oddStatuses) : chance.pick(hostile ? statuses : ['200']);
  const pieces = Array.from({ length: chance.below(4) }, () => {
    const told = Buffer.from(marked.repeat(1 + chance.size(hostile ? 3_000 : 300)));
    return hostile && chance.happens(0.2) ? Buffer.concat([told, Buffer.from(carried)]) : told;
  });
  const isBodyless = isHead || status === '204' || status === '304' || pieces.length === 0;
  const text = hostile && pieces.some((piece) => piece.includes(carried)) ? 'text/plain' : chance.pick(types);
  const length =
    pieces.reduce((sum, piece) => sum + piece.length, 0) +
    (hostile && chance.happens(0.1) ? chance.pick([-1, 1]) : 0);
  const fields: Fields = [
    [':status', status],
    ['x-mark', marked],
    ['content-type', text],
    ...(chance.happens(0.4) ? ([['content-length', String(length)]] as const) : []),
    ...(hostile && chance.happens(0.15) ? [chance.pick(oddFields(carried))] : []),
  ];
  const drafts: Draft[] = [];
  if (chance.happens(0.15)) {
    const interim: Fields = [
      [':status', chance.pick(['100', '103'])],
      ['link', marked],
      ...(hostile ? ([['x-key', carried]] as const) : []),
    ];
    drafts.push(...headersDrafts(chance, writer, stream, interim, hostile && chance.happens(0.05)));
  }
  drafts.push(
    ...headersDrafts(chance, writer, stream, fields, isBodyless && !(hostile && chance.happens(0.05))),
  );
  if (!isBodyless) {
    const trailers = chance.happens(0.3);
    for (const [index, piece] of pieces.entries())
      drafts.push(dataDraft(chance, stream, piece, !trailers && index === pieces.length - 1));
    if (trailers) {
      const more: readonly Fields[] = [
        [],
        [],
        [[':status', '200']],
        [['X-Sum', '1']],
        [['x-key', carried]],
        [['http2-settings', 'AAMAAABk']],
      ];
      drafts.push(
        ...headersDrafts(
          chance,
          writer,
          stream,
          [['x-sum', marked], ...(hostile ? chance.pick(more) : [])],
          true,
        ),
      );
    }
  }
  if (!hostile) return drafts;
  const cut = chance.happens(0.15)
    ? [...drafts.slice(0, chance.below(drafts.length + 1)), resetDraft(chance, stream)]
    : drafts;
  const more = chance.happens(0.1) ? [...cut, intruder(chance)] : cut;
  return mutated(chance, more, chance.pick([0, 0, 0, 0, 1, 2]));
}
