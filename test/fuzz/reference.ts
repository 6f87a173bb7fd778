/** One request as RFC 9112 reads it, by other code than the product's: strict, whole strings, no state. */
export interface ReferenceRequest {
  readonly method: string;
  readonly target: string;
  /** What follows the head and belongs to it, framing included; all that there is of it when it is not complete. */
  readonly body: string;
  /** The body without its framing. */
  readonly content: string;
  readonly complete: boolean;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const requestLine = new RegExp(`^(${token}) ([\\x21-\\x7e]+) HTTP/1\\.([01])$`);
const fieldLine = new RegExp(`^(${token}):[ \\t]*([\\x20-\\x7e\\x80-\\xff\\t]*)$`);
const chunkLine = new RegExp(
  `^([0-9a-fA-F]{1,16})((?:;${token}(?:=(?:${token}|"[^"\\r\\n]*(?:\\\\.[^"\\r\\n]*)*"))?)*)$`,
);

/** Every request in these bytes whose head is whole and valid, up to the first that is not. */
export function readRequests(bytes: string): readonly ReferenceRequest[] {
  const requests: ReferenceRequest[] = [];
  for (let at = 0; ; ) {
    if (bytes.startsWith('\r\n', at)) at += 2;
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end === -1) return requests;
    const [line = '', ...lines] = bytes.slice(at, end).split('\r\n');
    const start = requestLine.exec(line);
    const fields = lines.map((text) => fieldLine.exec(text));
    if (start === null || fields.some((field) => field === null)) return requests;
    const valuesOf = (name: string): readonly string[] =>
      fields.flatMap((field) => (field?.[1]?.toLowerCase() === name ? [field[2]?.trim() ?? ''] : []));
    const lengths = valuesOf('content-length');
    const codings = valuesOf('transfer-encoding');
    const isOld = start[3] === '0';
    const framedTwice = lengths.length + codings.length > 1;
    const hosts = valuesOf('host').length;
    if (framedTwice || hosts > 1 || (hosts === 0 && !isOld)) return requests;
    if (codings.length === 1 && (isOld || codings[0]?.toLowerCase() !== 'chunked')) return requests;
    if (lengths.length === 1 && !/^\d{1,16}$/.test(lengths[0] ?? '')) return requests;
    const from = end + 4;
    const to =
      codings.length === 1 ? chunkedEnd(bytes, from) : lengthEnd(bytes, from, Number(lengths[0] ?? 0));
    const complete = to !== undefined;
    const body = bytes.slice(from, to);
    requests.push({
      method: start[1] ?? '',
      target: start[2] ?? '',
      body,
      content: codings.length === 1 ? chunksIn(body) : body,
      complete,
    });
    if (!complete) return requests;
    at = to;
  }
}

function lengthEnd(bytes: string, from: number, length: number): number | undefined {
  return bytes.length - from >= length ? from + length : undefined;
}

/** Where a chunked body ends, or `undefined` where it does not, or is none. */
function chunkedEnd(bytes: string, from: number): number | undefined {
  for (let at = from; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = end === -1 ? undefined : chunkLine.exec(bytes.slice(at, end))?.[1];
    if (size === undefined) return undefined;
    const length = Number.parseInt(size, 16);
    if (length === 0) {
      for (let line = end + 2; ; ) {
        const lineEnd = bytes.indexOf('\r\n', line);
        if (lineEnd === -1) return undefined;
        if (lineEnd === line) return line + 2;
        if (!fieldLine.test(bytes.slice(line, lineEnd))) return undefined;
        line = lineEnd + 2;
      }
    }
    at = end + 2 + length + 2;
    if (bytes.slice(at - 2, at) !== '\r\n') return undefined;
  }
}

/** What the chunks in these bytes contain, up to where they end. */
export function chunksIn(bytes: string): string {
  let content = '';
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at);
    const size = end === -1 ? undefined : chunkLine.exec(bytes.slice(at, end))?.[1];
    const length = size === undefined ? 0 : Number.parseInt(size, 16);
    if (length === 0) return content;
    content += bytes.slice(end + 2, end + 2 + length);
    at = end + 2 + length + 2;
  }
}
