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

/** What a small body may come to when it is decoded while all others wait. */
const mostAtOnceBytes = 128 * 1024;

/** A stream that undoes this coding; `firstByte` of what is coded where it is known already. */
export function decoderOf(coding: Coding, firstByte: number | undefined): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      if (zstd === undefined) throw new TypeError('zstd cannot be undone here');
      return zstd.createZstdDecompress();
    case 'deflate':
      return isRaw(firstByte) ? createInflateRaw() : createInflate();
  }
}

/**
 * Whether such a decoder has undone all of the `given` bytes. Zstandard may come in several frames (RFC 8878 §3.1), of which
 * Node drops what lies behind the first one of a chunk: a client that reads it all would see what nobody has looked at.
 */
export function hasUndoneAll(coding: Coding, decoder: Transform, given: number): boolean {
  return (
    coding !== 'zstd' || (decoder as Transform & { readonly bytesWritten: number }).bytesWritten === given
  );
}

/** The bytes with these codings undone, here and now; `undefined` where they are broken or come to much. */
export function decodedAtOnce(codings: readonly Coding[], bytes: Buffer): Buffer | undefined {
  try {
    return codings.reduce(undo, bytes);
  } catch {
    return undefined;
  }
}

function undo(bytes: Buffer, coding: Coding): Buffer {
  const limit = { maxOutputLength: mostAtOnceBytes };
  switch (coding) {
    case 'gzip':
      return gunzipSync(bytes, limit);
    case 'br':
      return brotliDecompressSync(bytes, limit);
    case 'zstd':
      if (zstd === undefined) throw new TypeError('zstd cannot be undone here');
      return wholeOf(zstd.zstdDecompressSync(bytes, { ...limit, info: true }), bytes.length);
    case 'deflate':
      return isRaw(bytes[0]) ? inflateRawSync(bytes, limit) : inflateSync(bytes, limit);
  }
}

function wholeOf(
  undone: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } },
  given: number,
): Buffer {
  if (undone.engine.bytesWritten !== given) throw new RangeError('there is more than one frame');
  return undone.buffer;
}

/** RFC 9110 §8.4.1.2: some send the raw format, which lacks zlib's header (RFC 1950 §2.2: method 8). */
function isRaw(firstByte: number | undefined): boolean {
  return firstByte !== undefined && (firstByte & 0x0f) !== 8;
}
