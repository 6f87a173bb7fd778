import { hash } from 'node:crypto';
import type { AuditEvent, RecordedEvent } from './event.ts';

/** An event as it waits to be written: who and when are settled, its place in the chain is not. */
export interface QueuedEvent {
  readonly event: AuditEvent;
  readonly id: string;
  readonly atMs: number;
}

/** The end of the chain so far. */
export interface Link {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** Consecutive events that were written at once, as one link. */
export interface Block {
  readonly last_sequence: number;
  readonly events: number;
  /** One event a line, as JSON. */
  readonly body: string;
  readonly hash: Uint8Array;
}

/** The event as it will read at that place in the chain. */
export function recorded(queued: QueuedEvent, sequence: number): RecordedEvent {
  return { sequence, id: queued.id, at: new Date(queued.atMs).toISOString(), ...queued.event };
}

/**
 * The block that follows `previous`. Its body is stored as the very text that is hashed (SHA-256 of the previous
 * hash, 32 bytes, then the text), so that no second program has to agree with us on how JSON is written.
 */
export function linked(batch: readonly QueuedEvent[], previous: Link): Block {
  const body = batch
    .map((queued, index) => JSON.stringify(recorded(queued, previous.sequence + 1 + index)))
    .join('\n');
  return {
    last_sequence: previous.sequence + batch.length,
    events: batch.length,
    body,
    hash: linkHash(previous.hash, body),
  };
}

export function endOf(block: Block): Link {
  return { sequence: block.last_sequence, hash: block.hash };
}

export function eventsOf(block: Pick<Block, 'body'>): readonly RecordedEvent[] {
  return block.body.split('\n').map((line) => JSON.parse(line) as RecordedEvent);
}

/** Whether `block` is, untouched, what was written after `previous`. */
export function holds(block: Block, previous: Link): boolean {
  return (
    block.last_sequence === previous.sequence + block.events &&
    block.body.split('\n').length === block.events &&
    Buffer.compare(block.hash, linkHash(previous.hash, block.body)) === 0
  );
}

function linkHash(previous: Uint8Array, body: string): Uint8Array {
  return hash('sha256', Buffer.concat([previous, Buffer.from(body, 'utf8')]), 'buffer');
}
