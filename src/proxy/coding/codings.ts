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

/** Codings that can be undone here. What else a client accepts is not asked for on its behalf. */
const readable = `gzip|x-gzip|deflate|br|identity${zstd === undefined ? '' : '|zstd'}`;
const isReadable = new RegExp(`^(?:${readable})[ \\t]*(?:;|$)`, 'i');
/** What most clients send: answered without a list being made of it. */
const areReadable = new RegExp(`^(?:${readable})(?:, ?(?:${readable}))*$`);

/** The `Accept-Encoding` to send instead, or `undefined` where this one asks for nothing that cannot be read here. */
export function readableCodings(acceptEncoding: string): string | undefined {
  if (areReadable.test(acceptEncoding)) return undefined;
  const parts = acceptEncoding.split(',').map((part) => part.trim());
  const kept = parts.filter((part) => isReadable.test(part));
  if (kept.length === parts.length) return undefined;
  return kept.length === 0 ? 'identity' : kept.join(', ');
}
