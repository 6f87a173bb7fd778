/** A text and what stands in for it. */
export type Pair = readonly [text: string, replacement: string];

/** The base64 of a whole text, padded (RFC 4648 §4), and in the alphabet for URLs (§5). */
export function base64Of(text: string, replacement: string): readonly Pair[] {
  return inBothAlphabets([encoded(Buffer.from(text)), encoded(Buffer.from(replacement))]);
}

/**
 * The base64 of a text inside something longer, for each of its three alignments: only the characters that no neighbor
 * shares. What replaces them leaves the neighbors readable.
 */
export function base64Within(text: string, replacement: string): readonly Pair[] {
  const real = Buffer.from(text);
  const stand = Buffer.from(replacement);
  return [0, 1, 2].flatMap((before) =>
    inBothAlphabets([core(real, before), core(fitted(stand, real, before), before)]),
  );
}

/** What a text is in base64 wherever it stands in something longer: its characters for each alignment, in both alphabets. */
export function base64Cores(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const cores = [0, 1, 2].map((before) => core(bytes, before));
  return [...new Set([...cores, ...cores.map(inUrl)])];
}

/** The characters made of these bytes alone, when this many other bytes come before them. */
function core(bytes: Buffer, before: number): string {
  const all = encoded(Buffer.concat([Buffer.alloc(before), bytes]));
  return all.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/**
 * The stand-in, padded to the length of the real bytes modulo three. Where a character is shared with a neighbor, an
 * edge byte comes first or last that decodes to printable ASCII whichever of its bits the neighbor sets.
 */
function fitted(stand: Buffer, real: Buffer, before: number): Buffer {
  const first = before === 0 ? '' : '(';
  const last = (before + real.length) % 3 === 0 ? '' : 'H';
  const missing = (real.length - stand.length - first.length - last.length) % 3;
  const filling = '-'.repeat(missing < 0 ? missing + 3 : missing);
  return Buffer.concat([Buffer.from(first), stand, Buffer.from(filling + last)]);
}

function encoded(bytes: Buffer): string {
  return bytes.toString('base64');
}

function inBothAlphabets([text, replacement]: Pair): readonly Pair[] {
  return [
    [text, replacement],
    [inUrl(text), inUrl(replacement)],
  ];
}

/** RFC 4648 §5. */
function inUrl(base64: string): string {
  return base64.replaceAll('+', '-').replaceAll('/', '_');
}
