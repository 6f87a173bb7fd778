import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';

/** `bytesWritten`: how much of what it was given it has undone. */
interface Undoing {
  readonly bytesWritten: number;
}

interface Zstd {
  createZstdDecompress(): Transform & Undoing;
  zstdDecompressSync(
    bytes: Buffer,
    options: { readonly maxOutputLength: number; readonly info: true },
  ): { readonly buffer: Buffer; readonly engine: Undoing };
}

/** What undoes zstd (RFC 8878), where this Node has it: from 22.15 and 23.8 on. */
export const zstd: Zstd | undefined = 'createZstdDecompress' in zlib ? (zlib as unknown as Zstd) : undefined;
