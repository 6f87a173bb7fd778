import { readableCodings } from '../coding/index.ts';
import { Field, hopByHopInRequest, lineEndAt, type RequestHead, stride, valueAt } from '../http1/index.ts';
import type { InjectedFields, Injection } from './injection.ts';
import type { ForwardTarget } from './target.ts';
import { writtenTarget } from './written-target.ts';

/**
 * The request head as the upstream gets it: the target and host that were decided on, hop-by-hop fields taken out (RFC 9110
 * §7.6.1), what the agent put in the credential's places replaced. Every other byte stays where it was.
 */
export function rewriteRequestHead(
  head: RequestHead,
  target: ForwardTarget,
  injection: Injection | undefined,
): Buffer {
  const injected = injection?.fieldsFor(target);
  const written = writtenTarget(target, injected);
  const sameTarget = written === head.target;
  const codings = injection?.scrubbed === true ? codingsInstead(head) : undefined;
  const tail = tailLines(head, injected, codings);
  const host = `Host: ${target.host}\r\n`;
  const bound = head.end - head.start + written.length + host.length + tail.length;
  const out = Buffer.allocUnsafe(bound);
  const { bytes, marks } = head;

  let position = 0;
  let copyFrom = head.start;
  if (!sameTarget) {
    position += bytes.copy(out, position, head.start, head.targetStart);
    position += out.write(written, position, 'latin1');
    copyFrom = head.targetStart + head.target.length;
  }
  let hostSeen = false;
  for (let mark = 0; mark < marks.length; mark += stride) {
    const isHost = marks[mark + 4] === Field.host;
    if (isHost) hostSeen = true;
    if (isHost ? head.host === target.host : !isDropped(head, mark, injection, codings !== undefined))
      continue;
    const lineStart = marks[mark] as number;
    if (lineStart > copyFrom) position += bytes.copy(out, position, copyFrom, lineStart);
    copyFrom = lineEndAt(head, mark);
    if (isHost) position += out.write(host, position, 'latin1');
  }
  if (head.fieldsEnd > copyFrom) position += bytes.copy(out, position, copyFrom, head.fieldsEnd);
  if (!hostSeen) position += out.write(host, position, 'latin1');
  position += out.write(tail, position, 'latin1');
  return out.subarray(0, position);
}

function isDropped(
  head: RequestHead,
  mark: number,
  injection: Injection | undefined,
  replacesCodings: boolean,
): boolean {
  const kind = head.marks[mark + 4] as number;
  if (hopByHopInRequest[kind] === 1) return true;
  if (kind === Field.acceptEncoding) return replacesCodings;
  return isReplaced(head, mark, injection) || isNominated(head, mark);
}

/** Any spelling of a field that the injection writes, `_` for `-` included. */
function isReplaced(head: RequestHead, mark: number, injection: Injection | undefined): boolean {
  if (injection === undefined) return false;
  const start = head.marks[mark] as number;
  const length = (head.marks[mark + 1] as number) - start;
  for (const name of injection.names) {
    if (name.length !== length) continue;
    let index = 0;
    while (index < length && fold(head.bytes[start + index] as number) === name.charCodeAt(index)) index += 1;
    if (index === length) return true;
  }
  return false;
}

function fold(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte | 0x20;
  return byte === 0x5f ? 0x2d : byte;
}

function isNominated(head: RequestHead, mark: number): boolean {
  if (head.connection.length === 0) return false;
  const name = head.bytes.toString('latin1', head.marks[mark], head.marks[mark + 1]);
  return head.connection.includes(name.toLowerCase());
}

/** The end of the head: the credential, our own hop-by-hop fields, the empty line. */
function tailLines(
  head: RequestHead,
  injected: InjectedFields | undefined,
  codings: string | undefined,
): string {
  let tail = injected?.lines ?? '';
  if (codings !== undefined) tail += `Accept-Encoding: ${codings}\r\n`;
  if (head.upgrade !== undefined) tail += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  else if (head.minor === 0) tail += 'Connection: close\r\n';
  else if (head.acceptsTrailers) tail += 'Connection: TE\r\nTE: trailers\r\n';
  return `${tail}\r\n`;
}

/**
 * The codings to ask for instead of the agent's: without those that cannot be decoded here, since responses to a
 * credential are searched for it. `undefined` where the agent's own can stay.
 */
function codingsInstead(head: RequestHead): string | undefined {
  let all: string | undefined;
  for (let mark = 0; mark < head.marks.length; mark += stride) {
    if (head.marks[mark + 4] !== Field.acceptEncoding) continue;
    const value = valueAt(head, mark);
    all = all === undefined ? value : `${all}, ${value}`;
  }
  return all === undefined ? undefined : readableCodings(all);
}
