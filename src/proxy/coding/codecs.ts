import type { Transform } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  gunzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib';
import type { Coding } from './codings.ts';
import { zstd } from './zstd.ts';

/** The most that a small body may decode to in one go, while everything else waits. */
const mostAtOnceBytes = 128 * 1024;

/** A stream that decodes this coding; `firstByte` of the coded bytes where it is known. */
export function decoderOf(coding: Coding, firstByte: number | undefined): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      if (zstd === undefined) throw new TypeError('zstd cannot be decoded here');
      return zstd.createZstdDecompress();
    case 'deflate':
      return isRaw(firstByte) ? createInflateRaw() : createInflate();
  }
}

/**
 * Whether such a decoder has decoded all of the `given` bytes. Zstandard allows several frames (RFC 8878 §3.1), and Node drops
 * what follows the first one in a chunk. A client that reads them all would see bytes that were never searched.
 */
export function hasDecodedAll(coding: Coding, decoder: Transform, given: number): boolean {
  return (
    coding !== 'zstd' || (decoder as Transform & { readonly bytesWritten: number }).bytesWritten === given
  );
}

/** The bytes, decoded at once; `undefined` where they are malformed or decode to too much. */
export function decodedAtOnce(codings: readonly Coding[], bytes: Buffer): Buffer | undefined {
  try {
    return codings.reduce(decode, bytes);
  } catch {
    return undefined;
  }
}

function decode(bytes: Buffer, coding: Coding): Buffer {
  const limit = { maxOutputLength: mostAtOnceBytes };
  switch (coding) {
    case 'gzip':
      return gunzipSync(bytes, limit);
    case 'br':
      return brotliDecompressSync(bytes, limit);
    case 'zstd':
      if (zstd === undefined) throw new TypeError('zstd cannot be decoded here');
      return wholeOf(zstd.zstdDecompressSync(bytes, { ...limit, info: true }), bytes.length);
    case 'deflate':
      return isRaw(bytes[0]) ? inflateRawSync(bytes, limit) : inflateSync(bytes, limit);
  }
}

function wholeOf(
  decoded: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } },
  given: number,
): Buffer {
  if (decoded.engine.bytesWritten !== given) throw new RangeError('there is more than one frame');
  return decoded.buffer;
}

/** RFC 9110 §8.4.1.2: some send the raw format, which lacks zlib's header (RFC 1950 §2.2: method 8). */
function isRaw(firstByte: number | undefined): boolean {
  return firstByte !== undefined && (firstByte & 0x0f) !== 8;
}
