import { type Fields, integer } from '../../../src/proxy/testing/test-http2-frames.ts';

/** RFC 7541 by other code than the product's, Huffman codes and tables included: for peers that write what they like. */
type Field = readonly [name: string, value: string];

/** RFC 7541 appendix A: name, and value where there is one. */
const staticTable: readonly Field[] = [
  ':authority',
  ...[':method GET', ':method POST', ':path /', ':path /index.html', ':scheme http', ':scheme https'],
  ...['200', '204', '206', '304', '400', '404', '500'].map((status) => `:status ${status}`),
  ...['accept-charset', 'accept-encoding gzip, deflate', 'accept-language', 'accept-ranges', 'accept'],
  ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
  ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range'],
  ...['content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match'],
  ...['if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'link'],
  ...['location', 'max-forwards', 'proxy-authenticate', 'proxy-authorization', 'range', 'referer', 'refresh'],
  ...['retry-after', 'server', 'set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent'],
  ...['vary', 'via', 'www-authenticate'],
].map((line) => {
  const space = line.indexOf(' ');
  return space === -1 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
});

// biome-ignore format: a table
/** RFC 7541 appendix B: the code is canonical, so that the lengths of its 257 codes say all of it. */
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const endOfString = 256;

/** The code of each symbol as bits, and back. */
const codes: string[] = [];
const symbols = new Map<string, number>();
let next = 0;
for (let length = 1; length <= 30; length += 1) {
  for (let symbol = 0; symbol < codeLengths.length; symbol += 1) {
    if (codeLengths[symbol] !== length) continue;
    const bits = next.toString(2).padStart(length, '0');
    codes[symbol] = bits;
    symbols.set(bits, symbol);
    next += 1;
  }
  next *= 2;
}

function huffman(text: string): Buffer {
  let bits = '';
  for (const byte of Buffer.from(text, 'latin1')) bits += codes[byte];
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** What cannot be unpacked: the connection is over with it (RFC 9113 §4.3). */
class CompressionError extends Error {}

function fromHuffman(bytes: Buffer): string {
  const text: number[] = [];
  let code = '';
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code += (byte >> bit) & 1;
      const symbol = symbols.get(code);
      if (symbol === undefined) continue;
      if (symbol === endOfString) throw new CompressionError('the end of a string within it');
      text.push(symbol);
      code = '';
    }
  }
  if (code.length > 7 || code.includes('0')) throw new CompressionError('padding that is none');
  return Buffer.from(text).toString('latin1');
}

class Table {
  readonly entries: Field[] = [];
  limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  at(index: number): Field {
    const entry =
      index <= staticTable.length ? staticTable[index - 1] : this.entries[index - staticTable.length - 1];
    if (entry === undefined) throw new CompressionError('an index beyond the tables');
    return entry;
  }

  add(field: Field): void {
    this.entries.unshift(field);
    this.shrink();
  }

  shrink(): void {
    let size = 0;
    const keep = this.entries.findIndex(([name, value]) => {
      size += name.length + value.length + 32;
      return size > this.limit;
    });
    if (keep !== -1) this.entries.length = keep;
  }
}

/** Reads one side's header blocks, in their order; throws where nobody could. */
export class BlockReader {
  readonly #maxTable: number;
  readonly #table: Table;
  #block: Buffer = Buffer.alloc(0);
  #at = 0;

  /** `maxTable`: what the reader's side allowed, 4,096 unless its SETTINGS said otherwise. */
  constructor(maxTable: number) {
    this.#maxTable = maxTable;
    this.#table = new Table(Math.min(4_096, maxTable));
  }

  read(block: Buffer): Fields {
    this.#block = block;
    this.#at = 0;
    const fields: Field[] = [];
    while (this.#at < block.length) {
      const first = block[this.#at] as number;
      if ((first & 0x80) !== 0) {
        fields.push(this.#table.at(this.#integer(7)));
      } else if ((first & 0xe0) === 0x20) {
        const limit = this.#integer(5);
        if (fields.length > 0 || limit > this.#maxTable) throw new CompressionError('a size out of place');
        this.#table.limit = limit;
        this.#table.shrink();
      } else {
        const remembered = (first & 0xc0) === 0x40;
        const index = this.#integer(remembered ? 6 : 4);
        const name = index === 0 ? this.#text() : this.#table.at(index)[0];
        const field: Field = [name, this.#text()];
        if (remembered) this.#table.add(field);
        fields.push(field);
      }
    }
    return fields;
  }

  #integer(prefixBits: number): number {
    const limit = 2 ** prefixBits - 1;
    let value = this.#byte() & limit;
    if (value < limit) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (value > 2 ** 32) throw new CompressionError('a number without end');
      if (byte < 128) return value;
    }
  }

  #byte(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw new CompressionError('a block that ends within a field');
    this.#at += 1;
    return byte;
  }

  #text(): string {
    const coded = ((this.#block[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const bytes = this.#block.subarray(this.#at, this.#at + length);
    if (bytes.length < length) throw new CompressionError('a string beyond the block');
    this.#at += length;
    return coded ? fromHuffman(bytes) : bytes.toString('latin1');
  }
}

export type Form = 'plain' | 'remembered' | 'never';

/** Writes one side's header blocks; the caller decides how each field is written. */
export class BlockWriter {
  readonly #table = new Table(4_096);

  write(
    fields: Fields,
    form: () => { readonly form: Form; readonly huffman: boolean; readonly indexed: boolean },
  ): Buffer {
    return Buffer.concat(fields.map(([name, value]) => this.#field(name, value, form())));
  }

  #field(name: string, value: string, how: ReturnType<Parameters<BlockWriter['write']>[1]>): Buffer {
    const all = [...staticTable, ...this.#table.entries];
    const whole = all.findIndex((entry) => entry[0] === name && entry[1] === value);
    if (how.indexed && whole !== -1) return integer(whole + 1, 7, 0x80);
    const known = how.indexed ? all.findIndex((entry) => entry[0] === name) + 1 : 0;
    const [prefixBits, pattern] = { plain: [4, 0], never: [4, 0x10], remembered: [6, 0x40] }[how.form] as [
      number,
      number,
    ];
    if (how.form === 'remembered') this.#table.add([name, value]);
    return Buffer.concat([
      integer(known, prefixBits, pattern),
      ...(known === 0 ? [text(name, how.huffman)] : []),
      text(value, how.huffman),
    ]);
  }
}

function text(value: string, coded: boolean): Buffer {
  const bytes = coded ? huffman(value) : Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, coded ? 0x80 : 0), bytes]);
}
