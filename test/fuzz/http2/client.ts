import { apiHost, otherHost } from '../../../src/proxy/testing/test-fixture.ts';
import { type Fields, preface, Type, uint32 } from '../../../src/proxy/testing/test-http2-frames.ts';
import type { Chance } from '../../soak/payload.ts';
import {
  type Draft,
  dataDraft,
  headersDrafts,
  mutated,
  resetDraft,
  segments,
  settingsAck,
  settingsDraft,
  written,
} from './drafts.ts';
import { BlockWriter } from './hpack.ts';
import { phantom } from './rules.ts';

/** What a client sends: whole segments, and how many turns of the loop it waits after each. */
export interface ClientScript {
  readonly segments: readonly { readonly bytes: Buffer; readonly turns: number }[];
  readonly hostile: boolean;
  /** It leaves without a word after its last segment. */
  readonly leaves: boolean;
  /** It reads nothing until its last segment is out. */
  readonly deaf: boolean;
}

/** Marks everything that belongs to one request. */
export const mark = (nonce: number): string => `~${nonce}~`;

type Spoil = (fields: Fields, chance: Chance) => Fields;

const adding =
  (...more: Fields): Spoil =>
  (fields) => [...fields, ...more];
const replacing =
  (name: string, value: string): Spoil =>
  (fields) =>
    fields.map((field) => (field[0] === name ? [name, value] : field));

/** Heads that are no requests, or not for this tunnel, or contain what is not passed on. */
const spoils: readonly Spoil[] = [
  adding(['X-Capital', 'a']),
  adding(['x-cr', 'a\rb']),
  adding(['x-lf', 'a\nauthorization: Bearer mine']),
  adding(['x-nul', 'a\0b']),
  adding(['x\r\nname', 'a']),
  adding(['', 'a']),
  adding(['x-space', ' a ']),
  adding(['connection', 'close']),
  adding(['transfer-encoding', 'chunked']),
  adding(['upgrade', 'websocket']),
  adding(['te', 'gzip']),
  adding(['proxy-authorization', 'Basic eDp5']),
  adding([':path', '/v1/second']),
  adding([':status', '200']),
  adding(['host', otherHost]),
  adding(['host', apiHost]),
  adding(['content-length', '7']),
  adding(['content-length', '7'], ['content-length', '8']),
  adding(['content-length', '+7']),
  adding(['expect', '100-continue']),
  adding(['cookie', 'a=1'], ['cookie', 'b=2'], ['cookie', 'c=3']),
  adding(['x-twice', '1'], ['x-twice', '2']),
  adding(['x-phantom', phantom]),
  adding(['cookie', `a=${phantom.replaceAll('-', '%2d')}`]),
  adding(['authorization', `Bearer ${phantom}`]),
  adding(['authorization', `Basic ${Buffer.from(`x:${phantom}`).toString('base64')}`]),
  adding(['x-long', 'l'.repeat(9_000)]),
  replacing(':authority', otherHost),
  replacing(':authority', `${apiHost}:443`),
  replacing(':authority', `${apiHost}:8443`),
  replacing(':authority', `user@${apiHost}`),
  replacing(':authority', ''),
  replacing(':scheme', 'http'),
  replacing(':method', 'CONNECT'),
  replacing(':method', 'GE T'),
  replacing(':method', 'TRACE'),
  replacing(':path', ''),
  replacing(':path', '*'),
  replacing(':path', '/v1/../open'),
  replacing(':path', '/v1/%2e%2e/open'),
  replacing(':path', '/v1/a b'),
  (fields) => fields.toReversed(),
  (fields, chance) => fields.toSpliced(chance.below(fields.length), 1),
  (fields, chance) => [...fields, chance.pick(fields)],
  (fields, chance) => fields.toSpliced(chance.below(4), 0, [':protocol', 'websocket']),
];

const methods = ['GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS'];

function requestFields(chance: Chance, nonce: number, hostile: boolean): Fields {
  const fields: Fields = [
    [':method', chance.pick(methods)],
    [':scheme', 'https'],
    [':authority', apiHost],
    [
      ':path',
      `/${chance.pick(['v1', 'v1', 'open'])}/${mark(nonce)}${chance.pick(['', `?q=${mark(nonce)}`])}`,
    ],
    ['x-own', mark(nonce)],
    ...(chance.happens(0.3) ? ([['authorization', `Bearer mine${mark(nonce)}`]] as const) : []),
    ...(chance.happens(0.3) ? ([['te', 'trailers']] as const) : []),
    ...(chance.happens(0.3) ? ([['cookie', `a=${mark(nonce)}`]] as const) : []),
  ];
  return hostile && chance.happens(0.3) ? chance.pick(spoils)(fields, chance) : fields;
}

/** One request's frames, in steps between which other streams may have their turn. */
function* request(
  chance: Chance,
  writer: BlockWriter,
  stream: number,
  nonce: number,
  hostile: boolean,
): Generator<readonly Draft[]> {
  const pieces = Array.from({ length: chance.below(4) }, () =>
    Buffer.from(mark(nonce).repeat(1 + chance.size(hostile ? 3_000 : 300))),
  );
  let fields = requestFields(chance, nonce, hostile);
  const length =
    pieces.reduce((sum, piece) => sum + piece.length, 0) +
    (hostile && chance.happens(0.1) ? chance.pick([-1, 1]) : 0);
  if (pieces.length > 0 && chance.happens(0.4)) fields = [...fields, ['content-length', String(length)]];
  yield headersDrafts(chance, writer, stream, fields, pieces.length === 0);
  if (pieces.length === 0) return;
  const trailers = chance.happens(0.3);
  for (const [index, piece] of pieces.entries()) {
    if (hostile && chance.happens(0.05)) {
      yield [resetDraft(chance, stream)];
      if (chance.happens(0.7)) return;
    }
    yield [dataDraft(chance, stream, piece, !trailers && index === pieces.length - 1)];
  }
  if (!trailers) return;
  const own: Fields = [['x-sum', mark(nonce)]];
  const more: readonly Fields[] = [
    [],
    [],
    [],
    [[':path', '/v1/other']],
    [['X-Sum', '1']],
    [['connection', 'close']],
    [['authorization', 'Bearer mine']],
    [['http2-settings', 'AAAA']],
  ];
  yield headersDrafts(
    chance,
    writer,
    stream,
    [...own, ...(hostile ? chance.pick(more) : [])],
    !hostile || chance.happens(0.9),
  );
}

export function clientScript(chance: Chance, firstNonce: number, hostile: boolean): ClientScript {
  const writer = new BlockWriter();
  const drafts: Draft[] = [settingsDraft(...(chance.happens(0.3) ? [[4, 65_535] as const] : []))];
  const waiting = Array.from({ length: 1 + chance.below(6) }, (_, index) =>
    request(chance, writer, 1 + 2 * index, firstNonce + index, hostile),
  );
  const begun: Generator<readonly Draft[]>[] = [];
  while (waiting.length + begun.length > 0) {
    if (waiting.length > 0 && (begun.length === 0 || chance.happens(0.4)))
      begun.push(waiting.shift() as (typeof begun)[number]);
    const turn = chance.pick(begun);
    const { done, value } = turn.next();
    if (done === true) begun.splice(begun.indexOf(turn), 1);
    else drafts.push(...value);
  }
  const between = drafts.findIndex(({ type }) => type === Type.data);
  drafts.splice(between === -1 ? drafts.length : between, 0, settingsAck, {
    type: Type.windowUpdate,
    flags: 0,
    stream: 0,
    payload: uint32(100_000),
  });
  const said = hostile ? mutated(chance, drafts, chance.pick([0, 0, 1, 1, 2, 4])) : drafts;
  const hello = hostile && chance.happens(0.02) ? preface.subarray(0, chance.below(preface.length)) : preface;
  const bytes = Buffer.concat([hello, ...said.map(written)]);
  return {
    segments: segments(chance, bytes).map((part) => ({ bytes: part, turns: chance.pick([0, 0, 1, 5, 30]) })),
    hostile,
    leaves: hostile && chance.happens(0.3),
    deaf: hostile && chance.happens(0.1),
  };
}
