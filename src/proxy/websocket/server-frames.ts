import { frameOf, headerBytes, maxHeaderBytes, Opcode, readHeader } from './header.ts';

/** What ends a connection (RFC 6455 §7.4.1). */
export const closeReason = { protocolError: 1002, policyViolation: 1008 } as const;

const maxReasonBytes = 123;

/** A close frame from a server. `reason` is ASCII. */
export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.from(`\0\0${reason.slice(0, maxReasonBytes)}`, 'latin1');
  payload.writeUInt16BE(code);
  return frameOf(Opcode.close, payload);
}

/** Follows frames in passing, to know where the next one may begin. */
export class FrameBoundary {
  readonly #header = Buffer.alloc(maxHeaderBytes);
  #held = 0;
  #remaining = 0;
  #isLost = false;

  /** Whether all that has passed is whole frames. */
  get isReached(): boolean {
    return !this.#isLost && this.#held === 0 && this.#remaining === 0;
  }

  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isLost) {
      if (this.#remaining > 0) {
        const taken = Math.min(this.#remaining, bytes.length - at);
        this.#remaining -= taken;
        at += taken;
        continue;
      }
      this.#header[this.#held] = bytes[at] as number;
      this.#held += 1;
      at += 1;
      if (this.#held < 2 || this.#held < headerBytes(this.#header[1] as number)) continue;
      const header = readHeader(this.#header);
      this.#held = 0;
      this.#isLost = header === undefined;
      this.#remaining = header?.payloadBytes ?? 0;
    }
  }
}
