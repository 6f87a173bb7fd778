import type { Socket } from 'node:net';

/** The peer broke the connection, or ended it where something was due. */
export class Broken extends Error {}

/** The peer sent what HTTP/1.1 does not allow. */
export class Malformed extends Error {}

export interface Head {
  /** The first line. */
  readonly line: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly text: string;
}

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' };

export type OnData = (bytes: Buffer) => Promise<void> | void;

/** One connection read as HTTP/1.1 by other code than the product's: as strict as the RFC, and slower. */
export class Wire {
  readonly socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #over: 'ended' | 'broken' | undefined;
  #why = '';
  #wake = (): void => {};
  #drained = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.pause();
    socket.on('readable', () => this.#wake());
    socket.on('end', () => this.#finish('ended'));
    socket.on('error', ({ message }) => this.#finish('broken', message));
    socket.on('close', () => this.#finish('broken', 'closed'));
    socket.on('drain', () => this.#drained());
  }

  #finish(how: 'ended' | 'broken', why = ''): void {
    if (this.#over === undefined) this.#why = why;
    this.#over ??= how;
    this.#wake();
    this.#drained();
  }

  /** Bytes that came and were not read yet. */
  get surplus(): number {
    return this.#held.length + this.socket.readableLength;
  }

  /** False once there is nothing more to come. */
  async #fill(): Promise<boolean> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
        return true;
      }
      if (this.#over === 'ended') return false;
      if (this.#over === 'broken') throw new Broken(`the connection broke: ${this.#why}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next chunk of a stream that nothing frames; `undefined` at its end. */
  async chunk(): Promise<Buffer | undefined> {
    if (this.#held.length === 0 && !(await this.#fill())) return undefined;
    const taken = this.#held;
    this.#held = Buffer.alloc(0);
    return taken;
  }

  async #exactly(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      if (!(await this.#fill())) throw new Broken('the connection ended in the middle');
    }
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  async #upTo(delimiter: string, limit: number): Promise<string | undefined> {
    for (;;) {
      const at = this.#held.indexOf(delimiter);
      if (at !== -1) {
        const taken = this.#held.toString('latin1', 0, at);
        this.#held = this.#held.subarray(at + delimiter.length);
        return taken;
      }
      if (this.#held.length > limit)
        throw new Malformed(`no end in sight: ${this.#held.toString('latin1', 0, 200)}`);
      if (await this.#fill()) continue;
      if (this.#held.length === 0) return undefined;
      throw new Broken('the connection ended in the middle');
    }
  }

  /** `undefined` where the connection ended between messages. */
  async head(): Promise<Head | undefined> {
    const text = await this.#upTo('\r\n\r\n', 128 * 1024);
    if (text === undefined) return undefined;
    const [line = '', ...rest] = text.split('\r\n');
    const fields = rest.map((field) => {
      const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(field);
      if (match === null || /[\0\r\n]/.test(field)) throw new Malformed(`no field: ${JSON.stringify(field)}`);
      return [(match[1] as string).toLowerCase(), match[2] as string] as const;
    });
    return { line, fields, text };
  }

  /** Hands over the body as it comes; returns the trailers. */
  async body(framing: BodyFraming, onData: OnData): Promise<Head['fields']> {
    if (framing.kind === 'length') {
      for (let rest = framing.length; rest > 0; ) {
        if (this.#held.length === 0 && !(await this.#fill())) throw new Broken('the body ended early');
        const part = await this.#exactly(Math.min(rest, this.#held.length));
        rest -= part.length;
        await onData(part);
      }
    } else if (framing.kind === 'close') {
      for (;;) {
        const part = await this.chunk();
        if (part === undefined) break;
        await onData(part);
      }
    } else if (framing.kind === 'chunked') {
      return await this.#chunked(onData);
    }
    return [];
  }

  async #chunked(onData: OnData): Promise<Head['fields']> {
    for (;;) {
      const line = await this.#upTo('\r\n', 4096);
      if (line === undefined) throw new Broken('the body ended between chunks');
      if (!/^[0-9a-fA-F]{1,8}(;.*)?$/.test(line))
        throw new Malformed(`no chunk size: ${JSON.stringify(line)}`);
      const size = Number.parseInt(line, 16);
      if (size === 0) break;
      await this.body({ kind: 'length', length: size }, onData);
      if ((await this.#exactly(2)).toString() !== '\r\n') throw new Malformed('a chunk without its end');
    }
    const trailers: [string, string][] = [];
    for (;;) {
      const line = await this.#upTo('\r\n', 16_384);
      if (line === undefined) throw new Broken('the body ended in its trailers');
      if (line === '') return trailers;
      const colon = line.indexOf(':');
      if (colon < 1) throw new Malformed(`no trailer: ${JSON.stringify(line)}`);
      trailers.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
    }
  }

  /** Resolves when the peer took it, or at once while there is room. */
  async write(bytes: Buffer | string): Promise<void> {
    if (this.#over === 'broken' || this.socket.destroyed) throw new Broken('nobody listens any more');
    if (this.socket.write(bytes, 'latin1') || this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
  }
}

export function valuesOf(fields: Head['fields'], name: string): readonly string[] {
  return fields.filter(([own]) => own === name).map(([, value]) => value);
}

/** How a message with these fields is framed, where exactly one way is possible (RFC 9112 §6.3). */
export function framingOf(fields: Head['fields'], without: 'none' | 'close'): BodyFraming {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (codings.length > 1 || lengths.length > 1 || (codings.length === 1 && lengths.length === 1)) {
    throw new Malformed('framed in more than one way');
  }
  if (codings.length === 1) {
    if (codings[0]?.toLowerCase() !== 'chunked') throw new Malformed(`an odd coding: ${codings[0]}`);
    return { kind: 'chunked' };
  }
  const [length] = lengths;
  if (length === undefined) return { kind: without };
  if (!/^\d+$/.test(length)) throw new Malformed(`an odd length: ${length}`);
  return { kind: 'length', length: Number(length) };
}

export function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}
