/**
 * The encodings in which a secret is looked for. A body need not declare its own (RFC 4627 §3), a byte order mark is
 * optional, and a part of a multipart may differ from the rest, so all are looked for everywhere.
 */
export const encodings: readonly ((text: string) => Buffer)[] = [
  (text) => Buffer.from(text),
  utf16,
  (text) => utf16(text).swap16(),
  utf32,
  (text) => utf32(text).swap32(),
];

/** UTF-16, the low byte first. */
function utf16(text: string): Buffer {
  return Buffer.from(text, 'utf16le');
}

/** UTF-32, the low byte first. */
function utf32(text: string): Buffer {
  const points = [...text];
  const bytes = Buffer.alloc(points.length * 4);
  for (const [index, point] of points.entries())
    bytes.writeUInt32LE(point.codePointAt(0) as number, index * 4);
  return bytes;
}
