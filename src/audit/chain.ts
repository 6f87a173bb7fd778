import { hash } from 'node:crypto';
import type { BlockRow, ChainLink } from '../storage/index.ts';
import type { AuditEvent, Candidate, DecisionEvent, RecordedEvent } from './event.ts';

/** An event that waits to be written. Its id and time are known, its place in the chain is not. */
export interface QueuedEvent {
  readonly event: AuditEvent;
  readonly id: string;
  readonly atMs: number;
}

/**
 * Consecutive events that were written at once, as one link of the chain. The body is one event a line, as JSON. A
 * decision that differs from an earlier one of its block in time, id and path alone gives the other's sequence
 * number in `like`. Most decisions of a busy run do, and take a quarter of the space and of the time.
 */
export type Block = BlockRow;

/** The end of the chain so far. */
export type Link = ChainLink;

/** The event as it reads at that place in the chain. */
export function recorded(queued: QueuedEvent, sequence: number): RecordedEvent {
  return { sequence, id: queued.id, at: new Date(queued.atMs).toISOString(), ...queued.event };
}

/**
 * The block that follows `previous`. Its body is stored as the very text that is hashed (SHA-256 of the previous hash,
 * 32 bytes, then the text), so that no other program has to write JSON exactly as this one does.
 */
export function linked(batch: readonly QueuedEvent[], previous: Link): Block {
  const body = linesOf(batch, previous.sequence + 1).join('\n');
  return {
    lastSequence: previous.sequence + batch.length,
    events: batch.length,
    body,
    hash: linkHash(previous.hash, body),
  };
}

export function endOf(block: Block): Link {
  return { sequence: block.lastSequence, hash: block.hash };
}

export function eventsOf(block: Pick<Block, 'body'>): readonly RecordedEvent[] {
  const models = new Map<number, DecisionEvent & RecordedEvent>();
  return block.body.split('\n').map((line) => {
    const read = JSON.parse(line) as RecordedEvent | LikeAnother;
    if ('event' in read) {
      if (read.event === 'decision') models.set(read.sequence, read);
      return read;
    }
    const { sequence, id, at, like, path } = read;
    const model = models.get(like) as DecisionEvent & RecordedEvent;
    return { ...model, sequence, id, at, request: { ...model.request, path } };
  });
}

/** A decision that is written with `like`. */
interface LikeAnother {
  readonly sequence: number;
  readonly id: string;
  readonly at: string;
  readonly like: number;
  readonly path: string;
}

function linesOf(batch: readonly QueuedEvent[], first: number): readonly string[] {
  const models = new Map<
    readonly Candidate[],
    { readonly event: DecisionEvent; readonly sequence: number }
  >();
  let atMs = Number.NaN;
  let at = '';
  return batch.map((queued, index) => {
    const { event, id } = queued;
    const sequence = first + index;
    if (event.event !== 'decision') return JSON.stringify(recorded(queued, sequence));
    const model = models.get(event.candidates);
    if (model === undefined || !isLike(event, model.event)) {
      models.set(event.candidates, { event, sequence });
      return JSON.stringify(recorded(queued, sequence));
    }
    if (queued.atMs !== atMs) {
      atMs = queued.atMs;
      at = new Date(atMs).toISOString();
    }
    const path = JSON.stringify(event.request.path);
    return `{"sequence":${sequence},"id":${JSON.stringify(id)},"at":"${at}","like":${model.sequence},"path":${path}}`;
  });
}

/** What two such decisions share, besides the list of candidates and the request without its path. */
const shared = Object.keys({
  action: true,
  outcome: true,
  reason: true,
  route: true,
  provider: true,
  connection: true,
  rule: true,
  placement: true,
  identity: true,
  run: true,
  principal: true,
} satisfies Record<
  Exclude<keyof DecisionEvent, 'event' | 'id' | 'request' | 'candidates'>,
  true
>) as readonly ('action' | 'outcome')[];

function isLike(a: DecisionEvent, b: DecisionEvent): boolean {
  const { method, host, port } = a.request;
  if (method !== b.request.method || host !== b.request.host || port !== b.request.port) return false;
  for (const field of shared) if (a[field] !== b[field]) return false;
  return true;
}

/** Whether `block` is, unaltered, what was written after `previous`. */
export function continues(block: Block, previous: Link): boolean {
  return (
    block.lastSequence === previous.sequence + block.events &&
    block.body.split('\n').length === block.events &&
    Buffer.compare(block.hash, linkHash(previous.hash, block.body)) === 0
  );
}

function linkHash(previous: Uint8Array, body: string): Uint8Array {
  return hash('sha256', Buffer.concat([previous, Buffer.from(body, 'utf8')]), 'buffer');
}
