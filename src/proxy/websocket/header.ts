export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The first bytes of a frame (RFC 6455 §5.2). */
export interface FrameHeader {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly isMasked: boolean;
  readonly payloadBytes: number;
  /** Reserved bits: no extension was agreed on, so all must be 0. */
  readonly reserved: number;
}

export const maxHeaderBytes = 14;

const finalBit = 0x80;
const maskBit = 0x80;
const reservedBits = 0x70;

/** How long a header is that begins with these two bytes. */
export function headerBytes(second: number): number {
  const size = second & 0x7f;
  return 2 + (size === 126 ? 2 : size === 127 ? 8 : 0) + ((second & maskBit) === 0 ? 0 : 4);
}

/** The header in these bytes, complete; `undefined` for a length that no implementation takes. */
export function readHeader(bytes: Buffer): FrameHeader | undefined {
  const first = bytes[0] as number;
  const second = bytes[1] as number;
  const payloadBytes = lengthIn(bytes, second & 0x7f);
  if (payloadBytes === undefined) return undefined;
  return {
    isFinal: (first & finalBit) !== 0,
    opcode: first & 0x0f,
    isMasked: (second & maskBit) !== 0,
    payloadBytes,
    reserved: first & reservedBits,
  };
}

function lengthIn(bytes: Buffer, size: number): number | undefined {
  if (size < 126) return size;
  if (size === 126) return bytes.readUInt16BE(2);
  const length = bytes.readUInt32BE(2) * 2 ** 32 + bytes.readUInt32BE(6);
  return Number.isSafeInteger(length) ? length : undefined;
}

/** One frame that is a whole message; masked by `key`, where there is one. */
export function frameOf(opcode: number, payload: Buffer, key?: Buffer): Buffer {
  const { length } = payload;
  const size = length < 126 ? length : length <= 0xffff ? 126 : 127;
  const second = size | (key === undefined ? 0 : maskBit);
  const start = headerBytes(second);
  const out = Buffer.allocUnsafe(start + length);
  out[0] = finalBit | opcode;
  out[1] = second;
  if (size === 126) out.writeUInt16BE(length, 2);
  if (size === 127) out.writeBigUInt64BE(BigInt(length), 2);
  if (key === undefined) {
    out.set(payload, start);
  } else {
    out.set(key, start - 4);
    mask({ bytes: payload, start: 0, end: length, key, offset: 0 }, out.subarray(start));
  }
  return out;
}

export interface Masked {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** Four bytes. */
  readonly key: Buffer;
  /** How much of the payload came before. */
  readonly offset: number;
}

/** Writes the bytes, masked or unmasked, to the beginning of `out` (RFC 6455 §5.3: the same operation). */
export function mask({ bytes, start, end, key, offset }: Masked, out: Buffer): void {
  const [a, b, c, d] = [0, 1, 2, 3].map((index) => key[(index + offset) & 3] as number) as [
    number,
    number,
    number,
    number,
  ];
  const length = end - start;
  const whole = length - (length & 3);
  let at = 0;
  for (; at < whole; at += 4) {
    out[at] = (bytes[start + at] as number) ^ a;
    out[at + 1] = (bytes[start + at + 1] as number) ^ b;
    out[at + 2] = (bytes[start + at + 2] as number) ^ c;
    out[at + 3] = (bytes[start + at + 3] as number) ^ d;
  }
  for (; at < length; at += 1) out[at] = (bytes[start + at] as number) ^ (key[(at + offset) & 3] as number);
}
