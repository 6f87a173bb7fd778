/** A text and what stands in for it. */
export type Pair = readonly [text: string, replacement: string];

/** The base64 of a whole text, padded as it ends (RFC 4648 §4), and in the alphabet for URLs (§5). */
export function base64Of(text: string, replacement: string): readonly Pair[] {
  return inBothAlphabets([encoded(Buffer.from(text)), encoded(Buffer.from(replacement))]);
}

/**
 * What a text makes of the base64 of something longer that holds it, one for each way in which it can lie there: only
 * the characters that no neighbour has a part in. With what is put in their place, the neighbours stay readable.
 */
export function base64Within(text: string, replacement: string): readonly Pair[] {
  const real = Buffer.from(text);
  const stand = Buffer.from(replacement);
  return [0, 1, 2].flatMap((before) =>
    inBothAlphabets([core(real, before), core(fitted(stand, real, before), before)]),
  );
}

/** The characters that are made of these bytes alone, when this many of another's come before them. */
function core(bytes: Buffer, before: number): string {
  const all = encoded(Buffer.concat([Buffer.alloc(before), bytes]));
  return all.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
}

/**
 * The stand-in, made as long as the real bytes but for whole groups of three. Where a character is shared with a
 * neighbour, an edge byte comes first or last: whichever bits of it the real one keeps, it is read as printable ASCII.
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
  const inUrl = (base64: string): string => base64.replaceAll('+', '-').replaceAll('/', '_');
  return [
    [text, replacement],
    [inUrl(text), inUrl(replacement)],
  ];
}
