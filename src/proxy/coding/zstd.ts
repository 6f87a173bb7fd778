import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** `bytesWritten`: how many of the given bytes it has decoded. */
interface Decoding {
  readonly bytesWritten: number;
}

interface Zstd {
  createZstdDecompress(): Transform & Decoding;
  zstdDecompressSync(
    bytes: Buffer,
    options: { readonly maxOutputLength: number; readonly info: true },
  ): { readonly buffer: Buffer; readonly engine: Decoding };
}

/** Node's zstd decoder (RFC 8878), from 22.15 and 23.8 on. */
export const zstd: Zstd | undefined = 'createZstdDecompress' in zlib ? (zlib as unknown as Zstd) : undefined;
