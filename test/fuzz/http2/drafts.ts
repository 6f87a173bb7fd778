import {
  Code,
  type Fields,
  Flag,
  frame,
  Type,
  uint32,
} from '../../../src/proxy/testing/test-http2-frames.ts';
import type { Chance } from '../../soak/payload.ts';
import type { BlockWriter, Form } from './hpack.ts';

/** A frame that is yet to be written: everything about it can be changed, its length too. */
export interface Draft {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
  readonly length?: number;
}

export function written({ type, flags, stream, payload, length }: Draft): Buffer {
  return frame(type, flags, stream, payload, length);
}

const forms: readonly Form[] = ['plain', 'remembered', 'never'];

/** HEADERS of these fields, and CONTINUATION as it happens. */
export function headersDrafts(
  chance: Chance,
  writer: BlockWriter,
  stream: number,
  fields: Fields,
  ends: boolean,
): readonly Draft[] {
  const block = writer.write(fields, () => ({
    form: chance.pick(forms),
    huffman: chance.happens(0.5),
    indexed: chance.happens(0.7),
  }));
  const cuts = chance.happens(0.8)
    ? []
    : Array.from({ length: 1 + chance.below(3) }, () => chance.below(block.length + 1));
  const edges = [0, ...cuts.toSorted((a, b) => a - b), block.length];
  return edges.slice(1).map((edge, index): Draft => {
    const part = block.subarray(edges[index], edge);
    const last = index === edges.length - 2 ? Flag.endHeaders : 0;
    if (index > 0) return { type: Type.continuation, flags: last, stream, payload: part };
    const [payload, flags] = wrapped(chance, part);
    return { type: Type.headers, flags: flags | last | (ends ? Flag.endStream : 0), stream, payload };
  });
}

/** With padding and priority, now and then. */
function wrapped(chance: Chance, part: Buffer): readonly [payload: Buffer, flags: number] {
  const padding = chance.happens(0.15) ? chance.below(40) : undefined;
  const priority = chance.happens(0.1)
    ? Buffer.concat([uint32(0), Buffer.from([chance.below(256)])])
    : undefined;
  const payload = Buffer.concat([
    ...(padding === undefined ? [] : [Buffer.from([padding])]),
    ...(priority === undefined ? [] : [priority]),
    part,
    Buffer.alloc(padding ?? 0),
  ]);
  return [payload, (padding === undefined ? 0 : Flag.padded) | (priority === undefined ? 0 : Flag.priority)];
}

export function dataDraft(chance: Chance, stream: number, bytes: Buffer, ends: boolean): Draft {
  const padding = chance.happens(0.15) ? chance.below(40) : undefined;
  const end = ends ? Flag.endStream : 0;
  if (padding === undefined) return { type: Type.data, flags: end, stream, payload: bytes };
  const payload = Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)]);
  return { type: Type.data, flags: end | Flag.padded, stream, payload };
}

/** Never with NO_ERROR: Node ends a stream that was reset so as one that was ended, and tells nobody. */
export function resetDraft(chance: Chance, stream: number): Draft {
  const code = chance.pick([...Object.values(Code).filter((one) => one !== Code.none), 0x7777]);
  return { type: Type.reset, flags: 0, stream, payload: uint32(code) };
}

export function settingsDraft(...pairs: readonly (readonly [id: number, value: number])[]): Draft {
  const entries = pairs.map(([id, value]) =>
    Buffer.concat([Buffer.from([id >> 8, id & 255]), uint32(value)]),
  );
  return { type: Type.settings, flags: 0, stream: 0, payload: Buffer.concat(entries) };
}

export const settingsAck: Draft = {
  type: Type.settings,
  flags: Flag.ack,
  stream: 0,
  payload: Buffer.alloc(0),
};

const numbers = [
  0, 1, 2, 100, 4_096, 16_383, 16_384, 65_535, 0x00ffffff, 0x01000000, 0x7fffffff, 0x80000000, 0xffffffff,
];
const streams = [0, 1, 2, 3, 5, 7, 9, 11, 101, 0x7fffffff];

/** What a peer may send in between, at any time. */
export function intruder(chance: Chance): Draft {
  const stream = chance.pick(streams);
  const number = chance.pick(numbers);
  switch (chance.below(13)) {
    case 0:
      return resetDraft(chance, stream);
    case 1:
      return settingsDraft([1 + chance.below(9), number]);
    case 2:
      return settingsDraft([4, chance.pick([0, 1, 65_535, 0x7fffffff])], [3, chance.pick([0, 1, 100])]);
    case 3:
      return { type: Type.windowUpdate, flags: 0, stream, payload: uint32(number) };
    case 4:
      return {
        type: Type.goaway,
        flags: 0,
        stream: 0,
        payload: Buffer.concat([uint32(stream), uint32(chance.below(14)), Buffer.alloc(chance.below(9))]),
      };
    case 5:
      return {
        type: Type.ping,
        flags: chance.below(2),
        stream: 0,
        payload: Buffer.alloc(8, chance.below(256)),
      };
    case 6:
      return {
        type: Type.priority,
        flags: 0,
        stream,
        payload: Buffer.concat([uint32(chance.pick(streams)), Buffer.from([7])]),
      };
    case 7:
      return {
        type: Type.push,
        flags: Flag.endHeaders,
        stream,
        payload: Buffer.concat([uint32(chance.pick([2, 4, 3])), Buffer.from([0x82, 0x87, 0x84])]),
      };
    case 8:
      return { type: Type.data, flags: chance.below(2), stream, payload: Buffer.from('stray') };
    case 9:
      return {
        type: Type.headers,
        flags: Flag.endHeaders | chance.below(2),
        stream,
        payload: noise(chance, 30),
      };
    case 10:
      return {
        type: Type.continuation,
        flags: chance.pick([0, Flag.endHeaders]),
        stream,
        payload: noise(chance, 12),
      };
    case 11:
      return settingsAck;
    default:
      return {
        type: chance.pick([0x0a, 0x0c, 0x10, 0xff]),
        flags: chance.below(256),
        stream,
        payload: noise(chance, 30),
      };
  }
}

function noise(chance: Chance, limit: number): Buffer {
  return Buffer.from(Array.from({ length: chance.below(limit) }, () => chance.below(256)));
}

/** The same frames, a few of them changed, moved, doubled, cut or left out. */
export function mutated(chance: Chance, drafts: readonly Draft[], times: number): readonly Draft[] {
  let changed = [...drafts];
  for (let left = times; left > 0; left -= 1) {
    const at = chance.below(changed.length + 1);
    const draft = changed[at];
    if (draft === undefined || chance.happens(0.3)) {
      changed = changed.toSpliced(at, 0, intruder(chance));
      continue;
    }
    switch (chance.below(10)) {
      case 0:
        changed = changed.toSpliced(at, 1);
        break;
      case 1:
        changed = changed.toSpliced(chance.below(changed.length + 1), 0, draft);
        break;
      case 2:
        changed = changed.toSpliced(at, 1).toSpliced(chance.below(changed.length), 0, draft);
        break;
      case 3:
        changed[at] = { ...draft, stream: chance.happens(0.5) ? chance.pick(streams) : draft.stream + 2 };
        break;
      case 4:
        changed[at] = { ...draft, flags: draft.flags ^ (1 << chance.below(8)) };
        break;
      case 5:
        changed[at] = {
          ...draft,
          length: Math.max(0, draft.payload.length + chance.pick([-9, -1, 1, 9, 20_000])),
        };
        break;
      case 6:
        changed[at] = {
          ...draft,
          payload: draft.payload.subarray(0, chance.below(draft.payload.length + 1)),
        };
        break;
      case 7:
        changed[at] = { ...draft, type: chance.below(11) };
        break;
      default:
        changed[at] = { ...draft, payload: flipped(chance, draft.payload) };
    }
  }
  return changed;
}

function flipped(chance: Chance, payload: Buffer): Buffer {
  const bytes = Buffer.from(payload);
  const at = chance.below(Math.max(1, bytes.length));
  if (at < bytes.length) bytes[at] = (bytes[at] as number) ^ (1 << chance.below(8));
  return bytes;
}

/** The bytes in segments that need not end where frames do. */
export function segments(chance: Chance, bytes: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const to = chance.happens(0.5) ? bytes.length : Math.min(bytes.length, at + 1 + chance.size(400));
    parts.push(bytes.subarray(at, to));
    at = to;
  }
  return parts;
}
