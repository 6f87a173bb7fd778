import type { DecisionEvent } from '../../../src/audit/index.ts';
import { apiHost, secret } from '../../../src/proxy/testing/test-fixture.ts';
import type { Fields, Frame } from '../../../src/proxy/testing/test-http2-frames.ts';
import { type Message, type MessageReader, valueIn } from './messages.ts';
import { type Conversation, markOf } from './upstream.ts';

export const phantom = 'phantom-of-the-fuzzer';
export const renewedSecret = 'sk-live-renewed-5d2a';
const secrets = [secret, renewedSecret];
/** One for the renewal of a 401, one for what the upstream did not process. */
const maxAttempts = 3;

/** A broken rule. */
export class Violation extends Error {}

export function must(holds: boolean, rule: string, ...told: readonly unknown[]): void {
  if (!holds) throw new Violation([rule, ...told.map((one) => JSON.stringify(one))].join('\n  '));
}

/** One client as the reference reads it: what it asked for, and what it got. */
export interface ClientSide {
  readonly requests: MessageReader;
  readonly answers: MessageReader;
  readonly frames: readonly Frame[];
}

/** Fields that go no further, and those that are the proxy's to write. */
const notForwarded = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate'],
  ...['transfer-encoding', 'upgrade', 'http2-settings', 'host'],
]);

/** What a client may have put into trailers, where it does not belong (RFC 9110 §6.5.1). */
const notInTrailers = new Set([
  ...notForwarded,
  ...['authorization', 'cookie', 'set-cookie', 'te', 'expect', 'trailer'],
  ...['content-length', 'content-type', 'content-encoding', 'content-range'],
]);

/** Every request that reached the upstream is one that a client sent, whole as far as it goes; and who may be asked for what. */
export function checkRequests(conversations: readonly Conversation[], clients: readonly ClientSide[]): void {
  const sent = clients.flatMap(({ requests }) => requests.messages);
  const arrivals = new Map<string, number>();
  for (const { requests, broken } of conversations) {
    must(!broken && requests.fault === undefined, 'the upstream was sent what is no HTTP/2', requests.fault);
    for (const arrived of requests.messages) {
      const marked = markOf(arrived.head);
      arrivals.set(marked, (arrivals.get(marked) ?? 0) + 1);
      checkCredential(arrived);
      const own = sent.filter((one) => markOf(one.head) === marked);
      must(own.length > 0, 'a request reached the upstream that no client sent', arrived.head);
      must(
        own.some((one) => isForwarded(one, arrived)),
        'a request reached the upstream that is not as a client sent it',
        told(arrived),
        own.map(told),
      );
    }
  }
  for (const [marked, count] of arrivals) {
    const asked = sent.filter((one) => markOf(one.head) === marked).length;
    must(count <= asked * maxAttempts, `a request reached the upstream ${count} times`, marked);
  }
}

const isInjected = (head: Fields): boolean => /^\/v1(?:[/?]|$)/.test(valueIn(head, ':path') ?? '');

const withoutEscapes = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

function checkCredential({ head }: Message): void {
  const path = valueIn(head, ':path') ?? '';
  must(
    !head.some(([, value]) => withoutEscapes(value).includes(phantom)),
    'a phantom reached the upstream in a head',
    head,
  );
  const values = head.filter(([name]) => name === 'authorization').map(([, value]) => value);
  must(
    valueIn(head, ':authority') === apiHost && valueIn(head, ':scheme') === 'https',
    'another origin',
    head,
  );
  must(!/\/(?:\.|%2e){1,2}(?:\/|$|\?)|\\/i.test(path), 'a path that leads elsewhere', head);
  if (isInjected(head)) {
    must(
      values.length === 1 && secrets.some((one) => values[0] === `Bearer ${one}`),
      'a request went out without its credential',
      head,
    );
  } else {
    must(
      !head.some(([, value]) => secrets.some((one) => value.includes(one))),
      'the credential on another path',
      head,
    );
  }
}

function isForwarded(sent: Message, arrived: Message): boolean {
  const authority = (valueIn(sent.head, ':authority') ?? valueIn(sent.head, 'host') ?? '').toLowerCase();
  if (authority !== apiHost && authority !== `${apiHost}:443`) return false;
  if (valueIn(sent.head, ':scheme') !== 'https') return false;
  for (const name of [':method', ':path', ':protocol'])
    if (valueIn(sent.head, name) !== valueIn(arrived.head, name)) return false;
  const skipped = (name: string): boolean =>
    name.startsWith(':') || notForwarded.has(name) || (isInjected(arrived.head) && name === 'authorization');
  const names = new Set(
    [...sent.head, ...arrived.head].map(([name]) => name).filter((name) => !skipped(name)),
  );
  for (const name of names)
    if (!isSame(name, valuesOf(sent.head, name), valuesOf(arrived.head, name))) return false;
  const trailers = sent.trailers.filter(([name]) => !notInTrailers.has(name));
  if (!arrived.trailers.every(([name, value]) => trailers.some((one) => one[0] === name && one[1] === value)))
    return false;
  if (!arrived.whole) return isPrefix(arrived.body, sent.body);
  return isWhole(sent) && sent.body.equals(arrived.body) && trailers.length === arrived.trailers.length;
}

const valuesOf = (fields: Fields, name: string): readonly string[] =>
  fields.filter((field) => field[0] === name).map(([, value]) => value);

/** All of its lines as one (RFC 9110 §5.3). */
const joined = (fields: Fields, name: string): string => valuesOf(fields, name).join(', ');

/** As several lines, as one, or only the first where there may be but one (RFC 9110 §5.3). */
function isSame(name: string, sent: readonly string[], arrived: readonly string[]): boolean {
  if (name === 'te') return arrived.join() === 'trailers' && sent.length > 0;
  const all = arrived.join('\0');
  return [sent.join('\0'), sent.join(', '), sent.join('; '), sent[0]].includes(all);
}

/** All that its length promised is a whole body, however its stream ended. */
const isWhole = ({ head, body, whole }: Message): boolean =>
  whole || valueIn(head, 'content-length') === String(body.length);

const isPrefix = (part: Buffer, whole: Buffer): boolean => whole.subarray(0, part.length).equals(part);

function told({ head, body, trailers, whole, over }: Message): object {
  return { head, body: body.subarray(0, 200).toString('latin1'), length: body.length, trailers, whole, over };
}

/** What a client got is the upstream's response to that very request, and never looks complete when it is not. */
export function checkAnswers(
  { requests, answers, frames }: ClientSide,
  conversations: readonly Conversation[],
): void {
  must(answers.fault === undefined, 'a client was sent what is no HTTP/2', answers.fault);
  const said = (marked: string): readonly Message[] =>
    conversations.flatMap(({ requests: asked, answers: given }) => {
      const streams = asked.messages
        .filter(({ head }) => markOf(head) === marked)
        .map(({ stream }) => stream);
      return given.messages.filter(({ stream }) => streams.includes(stream));
    });
  const headAt = (stream: number): Fields =>
    requests.messages.find((one) => one.stream === stream)?.head ?? [];
  const markAt = (stream: number): string => markOf(headAt(stream));
  for (const { stream, head } of answers.interim) {
    const links = conversations.flatMap(({ requests: asked, answers: given }) =>
      given.interim
        .filter((one) =>
          asked.messages.some(
            (request) => request.stream === one.stream && markOf(request.head) === markAt(stream),
          ),
        )
        .map((one) => joined(one.head, 'link')),
    );
    must(links.includes(joined(head, 'link')), 'an interim answer to another request', head);
    if (isInjected(headAt(stream))) mustKeepSecret(head);
  }
  for (const got of answers.messages) {
    const isClean = isInjected(headAt(got.stream));
    if (isClean) mustKeepSecret([...got.head, ...got.trailers]);
    if (valueIn(got.head, 'content-type') === 'application/problem+json') continue;
    const isHead = valueIn(headAt(got.stream), ':method') === 'HEAD';
    must(
      said(markAt(got.stream)).some((one) => isRelayed(one, got, isHead, isClean)),
      'a client got an answer that the upstream did not give to this request',
      told(got),
      said(markAt(got.stream)).map(told),
    );
  }
  must(
    frames.every(({ type }) => type <= 9),
    'a frame of an unknown type was passed on',
  );
}

function mustKeepSecret(fields: Fields): void {
  must(
    !fields.some(([, value]) => secrets.some((one) => value.includes(one))),
    'a client got the secret',
    fields,
  );
}

function isRelayed(said: Message, got: Message, isHead: boolean, isClean: boolean): boolean {
  if (valueIn(said.head, ':status') !== valueIn(got.head, ':status')) return false;
  if (joined(said.head, 'x-mark') !== joined(got.head, 'x-mark')) return false;
  // Without a body, it is over with its head, whether its stream is or not.
  const isBodyless = ['204', '205', '304'].includes(valueIn(said.head, ':status') ?? '') || isHead;
  if (isBodyless) return got.body.length === 0;
  const isScrubbed = isClean && valueIn(said.head, 'content-type') === 'text/plain';
  if (isScrubbed && secrets.some((one) => got.body.includes(one))) return false;
  // What is looked into is decoded on the way.
  if (isScrubbed && valueIn(said.head, 'content-encoding') !== undefined) return said.whole || !got.whole;
  const text = said.body.toString('latin1');
  const clean = secrets.reduce((sofar, one) => sofar.replaceAll(one, phantom), text);
  // A change may have made another type of it, or none, which is looked into as well.
  const bodies = (isScrubbed ? [clean] : [clean, text]).map((one) => Buffer.from(one, 'latin1'));
  return bodies.some((body) =>
    got.whole ? isWhole(said) && body.equals(got.body) : isPrefix(got.body, body),
  );
}

/** Each request is on record once; nothing on record contains a secret. */
export function checkRecord(
  decisions: readonly DecisionEvent[],
  clients: readonly ClientSide[],
  conversations: readonly Conversation[],
): void {
  must(!secrets.some((one) => JSON.stringify(decisions).includes(one)), 'a secret is on record');
  const sent = clients.flatMap(({ requests }) => requests.messages);
  const countOf = (marked: string, path: (one: DecisionEvent) => boolean): number =>
    decisions.filter((one) => (/~\d+~/.exec(one.request.path)?.[0] ?? 'none') === marked && path(one)).length;
  for (const marked of new Set(sent.map(({ head }) => markOf(head)))) {
    if (marked === 'none') continue;
    const asked = sent.filter(({ head }) => markOf(head) === marked).length;
    must(countOf(marked, () => true) <= asked, 'a request is on record more than once', marked);
  }
  for (const { requests } of conversations) {
    for (const { head } of requests.messages) {
      const action = isInjected(head) ? 'injected' : 'passed';
      must(
        countOf(markOf(head), (one) => one.action === action) > 0,
        `a request that was ${action} is not on record`,
        head,
      );
    }
  }
}
