import type { IncomingHttpHeaders } from 'node:http2';
import { foldHeaderName } from '../../providers/index.ts';
import { type RequestHead, stride, valueAt } from '../http1/index.ts';
import { parameterName } from '../inject/index.ts';
import type { FoundPhantom, PhantomFinder } from './finder.ts';
import type { PhantomPlace, PlacedPhantom } from './place.ts';

/** The phantoms in a request head of HTTP/1.1, each with its place; `undefined` where there are none, as usual. */
export function phantomsInHead(
  finder: PhantomFinder,
  head: RequestHead,
): readonly PlacedPhantom[] | undefined {
  if (finder.isEmpty) return undefined;
  const found = finder.find(head.bytes, head.start, head.fieldsEnd);
  if (found.length === 0) return undefined;
  return found.map((each) => ({ phantom: each.phantom, place: placeInHead(head, each) }));
}

function placeInHead(head: RequestHead, { start, end }: FoundPhantom): PhantomPlace {
  const { bytes, marks, targetStart } = head;
  const firstField = marks[0] ?? head.fieldsEnd;
  if (start < firstField) {
    if (start < targetStart) return { kind: 'method' };
    return placeInTarget(head.target, start - targetStart, end - targetStart);
  }
  let mark = 0;
  while (mark + stride < marks.length && (marks[mark + stride] as number) <= start) mark += stride;
  const nameEnd = marks[mark + 1] as number;
  if (start < nameEnd) return { kind: 'header-name' };
  const name = foldHeaderName(bytes.toString('latin1', marks[mark], nameEnd));
  return { kind: 'header', name, value: valueAt(head, mark) };
}

function placeInTarget(target: string, start: number, end: number): PhantomPlace {
  const question = target.indexOf('?');
  if (question === -1 || end <= question) {
    const base = target.startsWith('/') ? 0 : target.indexOf('/', target.indexOf('://') + 3);
    return { kind: 'path', start: start - base, end: end - base };
  }
  const from = Math.max(question, target.lastIndexOf('&', start)) + 1;
  const next = target.indexOf('&', from);
  const pair = target.slice(from, next === -1 ? target.length : next);
  const equals = pair.indexOf('=');
  const isInValue = equals !== -1 && start > from + equals && end <= from + pair.length;
  return { kind: 'query', name: isInValue ? parameterName(pair) : undefined };
}

/** A phantom in all of the fields of an HTTP/2 request would fit in here. */
let scratch = Buffer.alloc(0);

/** The same for the header fields of HTTP/2. */
export function phantomsInHeaders(
  finder: PhantomFinder,
  headers: IncomingHttpHeaders,
): readonly PlacedPhantom[] | undefined {
  if (finder.isEmpty) return undefined;
  let text = '';
  for (const name in headers) text += lineOf(name, headers[name]);
  if (scratch.length < text.length) scratch = Buffer.allocUnsafe(Math.max(4096, 2 * text.length));
  const length = scratch.write(text, 0, 'latin1');
  const found = finder.find(scratch, 0, length);
  if (found.length === 0) return undefined;
  return found.map((each) => ({ phantom: each.phantom, place: placeInHeaders(headers, each) }));
}

function lineOf(name: string, value: string | readonly string[] | undefined): string {
  return `${name}\n${value}\n`;
}

function placeInHeaders(headers: IncomingHttpHeaders, { start, end }: FoundPhantom): PhantomPlace {
  let line = 0;
  for (const name in headers) {
    const next = line + lineOf(name, headers[name]).length;
    if (start < next) {
      const from = line + name.length + 1;
      if (start < from) return { kind: 'header-name' };
      if (name === ':path') return placeInTarget(String(headers[name]), start - from, end - from);
      if (name === ':method') return { kind: 'method' };
      return { kind: 'header', name: foldHeaderName(name), value: String(headers[name]) };
    }
    line = next;
  }
  return { kind: 'header-name' };
}

/** The phantoms in the trailer lines of a request. */
export function phantomsInTrailers(finder: PhantomFinder, lines: string): readonly PlacedPhantom[] {
  if (lines === '') return [];
  const bytes = Buffer.from(lines, 'latin1');
  return finder.find(bytes, 0, bytes.length).map(({ phantom }) => ({ phantom, place: { kind: 'trailer' } }));
}

/** The path with `{secret}` in place of its phantoms: what routes, policy and records see. */
export function withoutPhantoms(path: string, phantoms: readonly PlacedPhantom[] | undefined): string {
  if (phantoms === undefined) return path;
  let shown = '';
  let from = 0;
  for (const { place } of phantoms) {
    if (place.kind !== 'path') continue;
    shown += `${path.slice(from, Math.max(from, place.start))}{secret}`;
    from = place.end;
  }
  return shown + path.slice(from);
}
