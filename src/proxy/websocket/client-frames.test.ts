import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameOf, mask, readHeader } from './header.ts';
import { ClientFrames, closeFrame, FrameBoundary, type MessageRules, maxMessageBytes } from './index.ts';

const phantom = 'ghp_Phantom0123456789';
const secret = 'the real secret, which is somewhat longer';
const key = Buffer.from([0x9a, 0, 0xff, 0x31]);

/** A client's frame, of any shape. */
function frame(
  opcode: number,
  text: string | Buffer,
  { isFinal = true, isMasked = true }: { readonly isFinal?: boolean; readonly isMasked?: boolean } = {},
): Buffer {
  const bytes = frameOf(opcode, Buffer.from(text), isMasked ? key : undefined);
  if (!isFinal) bytes[0] = (bytes[0] as number) & 0x7f;
  return bytes;
}

/** Looks for the phantom in all that was pushed, as a streaming search does. */
const search: MessageRules<string>['search'] = () => {
  let text = '';
  return (bytes, start, end) => {
    text += bytes.toString('latin1', start, end);
    return text.includes(phantom) ? 'misplaced' : undefined;
  };
};

const searching: MessageRules<string> = { search, place: undefined };
/** The phantom must be all of a message. */
const placing: MessageRules<string> = {
  search,
  place(message) {
    if (message.toString('latin1') === phantom) return { kind: 'replaced', bytes: Buffer.from(secret) };
    return message.includes(phantom) ? { kind: 'refused', why: 'only a part' } : { kind: 'unchanged' };
  },
};

function relay(rules: MessageRules<string>, ...chunks: readonly Buffer[]) {
  const frames = new ClientFrames(rules);
  const sent: Buffer[] = [];
  let why: string | undefined;
  for (const chunk of chunks) {
    const stop = frames.push(chunk, (bytes) => sent.push(Buffer.from(bytes)));
    if (stop !== undefined) why ??= stop.kind === 'refused' ? stop.why : `malformed: ${stop.reason}`;
  }
  const out = Buffer.concat(sent);
  return { out, messages: messagesIn(out), why };
}

/** The messages and control frames that a server reads: the same outcome is the same of these. */
function messagesIn(bytes: Buffer): readonly string[] {
  const messages: string[] = [];
  let text = '';
  let kind = 0;
  for (let at = 0; at + 2 <= bytes.length; ) {
    const size = (bytes[at + 1] as number) & 0x7f;
    const start = at + 2 + (size === 126 ? 2 : size === 127 ? 8 : 0);
    const isMasked = (bytes[at + 1] as number) >= 0x80;
    const head = readHeader(bytes.subarray(at));
    if (head === undefined) break;
    const from = start + (isMasked ? 4 : 0);
    const end = from + head.payloadBytes;
    if (end > bytes.length) break;
    const payload = Buffer.alloc(head.payloadBytes);
    const used = isMasked ? bytes.subarray(start, from) : Buffer.alloc(4);
    mask({ bytes, start: from, end, key: used, offset: 0 }, payload);
    if (head.opcode >= 8) {
      messages.push(`${head.opcode}:${payload.toString('latin1')}`);
    } else {
      if (head.opcode !== 0) kind = head.opcode;
      text += payload.toString('latin1');
      if (head.isFinal) messages.push(`${kind}:${text}`);
      if (head.isFinal) text = '';
    }
    at = end;
  }
  return messages;
}

const bytewise = (bytes: Buffer): readonly Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

describe('frames without a phantom', () => {
  const sizes = [0, 1, 125, 126, 127, 0xffff, 0x10000, 70_001];
  const all = Buffer.concat([
    ...sizes.map((size) => frame(1, 'x'.repeat(size))),
    ...sizes.map((size) => frame(2, Buffer.alloc(size, 0xfe))),
    frame(9, 'ping'),
    frame(1, 'a', { isFinal: false }),
    frame(9, ''),
    frame(0, '', { isFinal: false }),
    frame(10, 'pong'),
    frame(0, 'b'),
    frame(1, 'unmasked', { isMasked: false }),
    frame(8, '\x03\xe8bye'),
  ]);

  it.each([
    ['searched', searching],
    ['placed', placing],
  ])('pass as they came where they are %s', (_, rules) => {
    const whole = relay(rules, all);
    expect(whole.why).toBeUndefined();
    expect(whole.messages).toEqual(messagesIn(rules === placing ? whole.out : all));
    expect(whole.out.length).toBe(all.length);
    const cut = relay(rules, ...bytewise(all.subarray(0, 3_000)), all.subarray(3_000));
    expect(cut.out.equals(whole.out)).toBe(true);
  });

  it('are not held back where they are only searched', () => {
    const bytes = frame(1, 'x'.repeat(1_000));
    const part = bytes.subarray(0, 500);
    expect(relay(searching, part).out.equals(part)).toBe(true);
  });

  it('a ping between the fragments of a message that is collected does not wait for it', () => {
    const ping = frame(9, 'now');
    expect(relay(placing, frame(1, 'a', { isFinal: false }), ping).out.equals(ping)).toBe(true);
  });
});

describe('a phantom in a message', () => {
  it('that is all of a text message gives way to the secret', () => {
    const { messages, why } = relay(placing, frame(1, 'before'), frame(1, phantom), frame(1, 'after'));
    expect(why).toBeUndefined();
    expect(messages).toEqual(['1:before', `1:${secret}`, '1:after']);
  });

  it('is put together from fragments and sent as one frame', () => {
    const fragments = [
      frame(1, phantom.slice(0, 7), { isFinal: false }),
      frame(9, 'ping'),
      frame(0, '', { isFinal: false }),
      frame(0, phantom.slice(7)),
    ];
    const { messages, out } = relay(placing, Buffer.concat(fragments));
    expect(messages).toEqual(['9:ping', `1:${secret}`]);
    expect(out.length).toBe(frame(9, 'ping').length + frame(1, secret).length);
  });

  it('keeps the masking of its client', () => {
    const { out } = relay(placing, frame(1, phantom));
    expect(out.equals(frame(1, secret))).toBe(true);
    expect(out.includes(secret)).toBe(false);
  });

  it.each([
    ['a part of a text message', placing, [frame(1, `Bearer ${phantom}`)], 'only a part'],
    ['a text message without a placement', searching, [frame(1, `{"token":"${phantom}"}`)], 'misplaced'],
    ['a binary message', placing, [frame(2, phantom)], 'misplaced'],
    ['a ping', placing, [frame(9, phantom)], 'misplaced'],
    ['the reason of a close', searching, [frame(8, `\x03\xe8${phantom}`)], 'misplaced'],
    [
      'two fragments of a binary message',
      searching,
      [frame(2, phantom.slice(0, 5), { isFinal: false }), frame(0, phantom.slice(5))],
      'misplaced',
    ],
    [
      'a text message that is too long to change',
      placing,
      [frame(1, phantom, { isFinal: false }), frame(0, Buffer.alloc(maxMessageBytes))],
      'misplaced',
    ],
    [
      'a text frame that is too long to change',
      placing,
      [frame(1, Buffer.concat([Buffer.from(phantom), Buffer.alloc(maxMessageBytes)]))],
      'misplaced',
    ],
  ])('that is in %s ends the connection', (_, rules, frames, expected) => {
    for (const chunks of [
      frames,
      [Buffer.concat(frames)],
      bytewise(Buffer.concat(frames).subarray(0, 200)),
    ]) {
      const { messages, out, why } = relay(rules, frame(1, 'before'), ...chunks, frame(1, 'after'));
      if (why === undefined) expect(Buffer.concat(frames).length).toBeGreaterThan(200);
      else expect(why).toBe(expected);
      expect(messages).toEqual(['1:before']);
      expect(out.includes(phantom)).toBe(false);
    }
    expect(relay(rules, ...frames).why).toBe(expected);
  });

  it('that is too long to change passes where there is no phantom, to the last byte', () => {
    const long = [
      frame(1, 'x'.repeat(500_000), { isFinal: false }),
      frame(9, 'ping'),
      frame(0, 'y'.repeat(600_000), { isFinal: false }),
      frame(0, 'z'),
    ];
    const { messages, why } = relay(placing, ...long);
    expect(why).toBeUndefined();
    expect(messages).toEqual(['9:ping', `1:${'x'.repeat(500_000)}${'y'.repeat(600_000)}z`]);
    expect(relay(searching, ...long).out.equals(Buffer.concat(long))).toBe(true);
  });

  it('a million empty fragments are not collected for ever', () => {
    const empty = frame(0, '', { isFinal: false });
    const bytes = Buffer.concat([frame(1, 'a', { isFinal: false }), ...Array(400_000).fill(empty)]);
    expect(relay(placing, bytes).out.length).toBe(bytes.length);
  });
});

describe('what is no WebSocket', () => {
  const reserved = frame(1, 'x');
  reserved[0] = (reserved[0] as number) | 0x40;
  const endless = Buffer.from([0x82, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

  it.each([
    ['compressed', reserved],
    ['unknown', frame(3, 'x')],
    ['unknown', frame(11, 'x')],
    ['continues no message', frame(0, 'x')],
    ['within another', Buffer.concat([frame(1, 'a', { isFinal: false }), frame(1, 'b')])],
    ['control frame', frame(9, 'x'.repeat(126))],
    ['control frame', frame(9, 'x', { isFinal: false })],
    ['longer than any', endless],
  ])('ends the connection: %s', (_, bytes) => {
    for (const rules of [searching, placing]) {
      const { messages, why } = relay(rules, frame(1, 'before'), bytes, frame(1, 'after'));
      expect(why).toMatch(/^malformed: /);
      expect(messages).toEqual(['1:before']);
    }
  });
});

describe('any sequence of frames', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constant(phantom),
      fc.constant(phantom.slice(0, 9)),
      fc.constant(phantom.slice(9)),
      fc.string({ maxLength: 20 }),
    ),
    { minLength: 1, maxLength: 4 },
  );
  const message = fc.record({ opcode: fc.constantFrom(1, 2), pieces, pings: fc.array(fc.nat(3)) });

  it('has one outcome, however it is cut into chunks and fragments', () => {
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        fc.constantFrom(searching, placing),
        (messages, cuts, rules) => {
          const whole = messages.map(({ opcode, pieces }) => frame(opcode, pieces.join('')));
          const fragmented = messages.flatMap(({ opcode, pieces }) =>
            pieces.map((piece, index) =>
              frame(index === 0 ? opcode : 0, piece, { isFinal: index === pieces.length - 1 }),
            ),
          );
          const bytes = Buffer.concat(fragmented);
          const positions = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)];
          const chunks = positions.map((from, index) => bytes.subarray(from, positions[index + 1]));
          const expected = relay(rules, ...whole);
          const actual = relay(rules, ...chunks);
          expect(actual.messages).toEqual(expected.messages);
          expect(actual.why).toBe(expected.why);
          expect(actual.messages.join().includes(phantom)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what a server sends', () => {
  it('is followed to know where a close frame may stand', () => {
    const bytes = Buffer.concat([
      frame(1, 'x'.repeat(300), { isMasked: false }),
      frame(9, '', { isMasked: false }),
    ]);
    const boundary = new FrameBoundary();
    const reached: number[] = [];
    for (const [index, byte] of bytewise(bytes).entries()) {
      if (boundary.isReached) reached.push(index);
      boundary.push(byte);
    }
    expect(reached).toEqual([0, 304]);
    expect(boundary.isReached).toBe(true);
  });

  it('a close frame carries its code and reason', () => {
    const bytes = closeFrame(1008, 'x'.repeat(200));
    expect(bytes.length).toBe(127);
    expect(bytes.readUInt16BE(2)).toBe(1008);
  });
});
