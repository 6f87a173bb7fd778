/** Writes the few ASN.1 types that a certificate needs, in DER (X.690). */

const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

function encoded(tag: number, content: Uint8Array): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const digits: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) digits.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | digits.length, ...digits]), content]);
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return encoded(Tag.sequence, Buffer.concat(items));
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return encoded(Tag.set, Buffer.concat(items));
}

/** An INTEGER that is never negative: a leading zero keeps the sign bit clear, and surplus zeros are dropped. */
export function positiveInteger(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const trimmed = bytes.subarray(start);
  const signed = (trimmed[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed;
  return encoded(Tag.integer, signed);
}

export function boolean(value: boolean): Buffer {
  return encoded(Tag.boolean, Buffer.from([value ? 0xff : 0]));
}

export function octetString(content: Uint8Array): Buffer {
  return encoded(Tag.octetString, content);
}

/** A BIT STRING that ignores `unusedBits` at its end. */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return encoded(Tag.bitString, Buffer.concat([Buffer.from([unusedBits]), content]));
}

export function utf8String(text: string): Buffer {
  return encoded(Tag.utf8String, Buffer.from(text));
}

/** `1.2.840…` as an OBJECT IDENTIFIER. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return encoded(Tag.objectIdentifier, Buffer.from(bytes));
}

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). Whole seconds. */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-T:]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? encoded(Tag.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : encoded(Tag.generalizedTime, Buffer.from(digits, 'latin1'));
}

/** `[number]` around complete items (EXPLICIT, or IMPLICIT of a constructed type). */
export function constructed(number: number, ...items: readonly Uint8Array[]): Buffer {
  return encoded(0xa0 | number, Buffer.concat(items));
}

/** `[number]` IMPLICIT of a primitive type. */
export function primitive(number: number, content: Uint8Array): Buffer {
  return encoded(0x80 | number, content);
}

/** PEM with lines of 64 characters, and without an empty one, which some readers reject. */
export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
