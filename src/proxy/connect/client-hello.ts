/** The parts of a TLS ClientHello that the proxy needs (RFC 8446 §4.1.2). */
export interface ClientHello {
  /** Server name (RFC 6066 §3), as sent. */
  readonly serverName: string | undefined;
  /** The ALPN protocols in the client's order (RFC 7301); empty if it offers none. */
  readonly protocols: readonly string[];
}

/** The first byte of a TLS connection. */
export const handshakeRecord = 0x16;
const clientHello = 1;
export const maxHelloBytes = 64 * 1024;
const Extension = { serverName: 0, alpn: 16 } as const;

/** Reads big-endian vectors, never beyond its end: missing bytes make it `broken`. */
class Reader {
  readonly #bytes: Buffer;
  #position = 0;
  broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get empty(): boolean {
    return this.broken || this.#position >= this.#bytes.length;
  }

  take(size: number): Buffer {
    const end = this.#position + size;
    if (end > this.#bytes.length) this.broken = true;
    const taken = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return taken;
  }

  number(size: 1 | 2 | 3): number {
    const bytes = this.take(size);
    return bytes.length === size ? bytes.readUIntBE(0, size) : 0;
  }

  /** A vector that begins with its length in `size` bytes. */
  vector(size: 1 | 2 | 3): Reader {
    return new Reader(this.take(this.number(size)));
  }

  get rest(): Buffer {
    return this.#bytes.subarray(this.#position);
  }
}

/** The ClientHello that `bytes` begin with; `undefined` while incomplete; `malformed` if it is something else. */
export function parseClientHello(bytes: Buffer): ClientHello | 'malformed' | undefined {
  const handshake = handshakeBytes(bytes);
  if (handshake === 'malformed') return handshake;
  if (handshake.length < 4) return undefined;
  if (handshake[0] !== clientHello) return 'malformed';
  const size = handshake.readUIntBE(1, 3);
  if (size > maxHelloBytes) return 'malformed';
  if (handshake.length < 4 + size) return undefined;
  return readHello(new Reader(handshake.subarray(4, 4 + size)));
}

/** The handshake messages so far: a ClientHello may span several records. */
function handshakeBytes(bytes: Buffer): Buffer | 'malformed' {
  const parts: Buffer[] = [];
  let position = 0;
  while (bytes.length - position >= 5) {
    const length = bytes.readUInt16BE(position + 3);
    if (bytes[position] !== handshakeRecord || length === 0 || length > 16_384) {
      // Bytes after a complete ClientHello are for the TLS library.
      return parts.length === 0 ? 'malformed' : Buffer.concat(parts);
    }
    parts.push(bytes.subarray(position + 5, position + 5 + length));
    position += 5 + length;
  }
  return Buffer.concat(parts);
}

function readHello(hello: Reader): ClientHello | 'malformed' {
  hello.take(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  const extensions = hello.empty ? undefined : hello.vector(2);
  while (extensions !== undefined && !extensions.empty) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (type === Extension.serverName) serverName = readServerName(content);
    else if (type === Extension.alpn) protocols = readProtocols(content.vector(2));
  }
  return hello.broken || extensions?.broken === true ? 'malformed' : { serverName, protocols };
}

function readServerName(content: Reader): string | undefined {
  const names = content.vector(2);
  while (!names.empty) {
    const type = names.number(1);
    const name = names.vector(2).rest;
    if (type === 0) return name.toString('latin1');
  }
  return undefined;
}

function readProtocols(list: Reader): readonly string[] {
  const protocols: string[] = [];
  while (!list.empty) protocols.push(list.vector(1).rest.toString('latin1'));
  return protocols;
}
