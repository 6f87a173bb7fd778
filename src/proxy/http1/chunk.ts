import { CR, LF } from './bytes.ts';

/** The bytes as one chunk (RFC 9112 §7.1), in one buffer, since each write becomes a TLS record. */
export function chunkOf(bytes: Buffer): Buffer {
  const size = bytes.length.toString(16);
  const out = Buffer.allocUnsafe(size.length + bytes.length + 4);
  for (let index = 0; index < size.length; index += 1) out[index] = size.charCodeAt(index);
  const end = size.length + 2 + bytes.length;
  out[size.length] = CR;
  out[size.length + 1] = LF;
  out.set(bytes, size.length + 2);
  out[end] = CR;
  out[end + 1] = LF;
  return out;
}

/** The end of a chunked body: the empty chunk and these trailer lines. */
export function lastChunk(trailers: string): Buffer {
  return Buffer.from(`0\r\n${trailers}\r\n`, 'latin1');
}

/** The trailer lines without those that have one of these names. */
export function withoutLines(lines: string, names: readonly string[]): string {
  if (lines === '') return lines;
  const isKept = (line: string): boolean => !names.includes(line.slice(0, line.indexOf(':')).toLowerCase());
  return lines
    .split(/(?<=\r\n)/)
    .filter(isKept)
    .join('');
}
