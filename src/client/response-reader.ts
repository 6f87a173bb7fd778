/** The head of an HTTP/1.1 response; header names in lower case. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Reads one response of the daemon as its bytes arrive (RFC 9112 §4, §6, §7.1). One of three small HTTP/1 readers: `run` starts
 * with this one, since loading `node:http` costs it 5 ms.
 */
export interface ResponseReader {
  /** Takes the next bytes. Throws SyntaxError for what the daemon never sends. */
  push(bytes: Buffer): void;
  /** `undefined` until it has been read. */
  readonly head: ResponseHead | undefined;
  /** Of the body, what has been read so far. */
  readonly text: string;
  /** Whether the body is complete; one without a length is so only at the end of the connection. */
  readonly isComplete: boolean;
}

/** Far above any response of the daemon: a sender of more is not the daemon. */
const maxBytes = 4 * 1024 * 1024;

export function createResponseReader(): ResponseReader {
  let pending: Buffer = Buffer.alloc(0);
  let head: ResponseHead | undefined;
  let isComplete = false;
  const body: Buffer[] = [];
  let bodyBytes = 0;

  const take = (size: number): void => {
    body.push(pending.subarray(0, size));
    bodyBytes += size;
    pending = pending.subarray(size);
  };
  const readChunks = (): void => {
    for (;;) {
      const end = pending.indexOf('\r\n');
      if (end < 0) return;
      const line = pending.toString('latin1', 0, end);
      if (!/^[0-9a-f]{1,7}(?:;.*)?$/i.test(line)) throw new SyntaxError('not a chunk');
      const size = Number.parseInt(line, 16);
      if (size === 0) {
        isComplete = true;
        return;
      }
      if (pending.length < end + 2 + size + 2) return;
      pending = pending.subarray(end + 2);
      take(size);
      pending = pending.subarray(2);
    }
  };

  return {
    push(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      if (pending.length + bodyBytes > maxBytes) throw new SyntaxError('the response is too long');
      while (head === undefined) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const read = readHead(pending.toString('latin1', 0, end));
        pending = pending.subarray(end + 4);
        // 1xx only announces the response.
        if (read.status >= 200) head = read;
      }
      if (head.headers.get('transfer-encoding') === 'chunked') {
        readChunks();
        return;
      }
      const length = head.headers.get('content-length');
      take(Math.min(pending.length, length === undefined ? pending.length : Number(length) - bodyBytes));
      isComplete = length !== undefined && bodyBytes >= Number(length);
    },
    get head() {
      return head;
    },
    get text() {
      return Buffer.concat(body).toString('utf8');
    },
    get isComplete() {
      return isComplete;
    },
  };
}

function readHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw new SyntaxError('not an HTTP response');
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new SyntaxError('not a header');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(status), headers: new Map(pairs) };
}
