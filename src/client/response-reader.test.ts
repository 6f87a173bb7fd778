import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResponseReader } from './response-reader.ts';

const read = (...pieces: readonly string[]) => {
  const reader = createResponseReader();
  for (const piece of pieces) reader.push(Buffer.from(piece));
  return reader;
};

describe('an answer', () => {
  it('with a length is complete when that much has come', () => {
    const half = read('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\n{}');
    expect(half.head?.status).toBe(404);
    expect(half.isComplete).toBe(false);
    half.push(Buffer.from('\n\nmore'));
    expect(half).toMatchObject({ text: '{}\n\n', isComplete: true });
  });

  it('in chunks reads the same however the bytes are split', () => {
    const text = '{"v":1,"name":"é"}\n';
    const bytes = Buffer.from(text);
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.array(fc.nat(120), { maxLength: 8 }), (cut, splits) => {
        const chunk = (part: Buffer) =>
          part.length === 0
            ? Buffer.alloc(0)
            : Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
        const wire = Buffer.concat([
          Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b:c\r\n\r\n'),
          chunk(bytes.subarray(0, cut)),
          chunk(bytes.subarray(cut)),
          Buffer.from('0\r\n\r\n'),
        ]);
        const reader = createResponseReader();
        const ends = [...splits.map((at) => Math.min(at, wire.length)), wire.length].sort((a, b) => a - b);
        for (const [index, end] of ends.entries()) reader.push(wire.subarray(ends[index - 1] ?? 0, end));
        expect(reader).toMatchObject({ text, isComplete: true });
        expect(reader.head?.headers.get('x-a')).toBe('b:c');
      }),
    );
  });

  it('that continues shows what has arrived so far', () => {
    expect(read('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab\n\r\n')).toMatchObject({
      text: 'ab\n',
      isComplete: false,
    });
  });

  it('may be announced', () => {
    const reader = read('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    expect(reader.head?.status).toBe(200);
    expect(reader.isComplete).toBe(true);
  });

  it.each(['SSH-2.0-OpenSSH\r\n\r\n', 'HTTP/1.1 200 OK\r\nbroken\r\n\r\n', 'HTTP/2 200\r\n\r\n'])(
    'is not this: %j',
    (text) => {
      expect(() => read(text)).toThrow(SyntaxError);
    },
  );

  it('has a limit: no stranger fills the client’s memory', () => {
    const reader = read('HTTP/1.1 200 OK\r\n\r\n');
    expect(() => {
      for (let count = 0; count < 5; count++) reader.push(Buffer.alloc(1024 * 1024));
    }).toThrow(SyntaxError);
  });
});
