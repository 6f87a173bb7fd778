import { hash } from 'node:crypto';
import type { AuditEvent, RecordedEvent } from './event.ts';

/** An event as it waits to be written: who and when are settled, its place in the chain is not. */
export interface QueuedEvent {
  readonly event: AuditEvent;
  readonly id: string;
  readonly atMs: number;
}

export interface Link {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** A row of the table: the body is what is hashed, the other columns repeat parts of it for look-ups. */
export interface EventRow extends Link {
  readonly id: string;
  readonly event: string;
  readonly body: string;
}

/** The event as it will read at that place in the chain. */
export function recorded(queued: QueuedEvent, sequence: number): RecordedEvent {
  return { sequence, id: queued.id, at: new Date(queued.atMs).toISOString(), ...queued.event };
}

/**
 * The row that follows `previous`. The body is stored as the very text that is hashed (SHA-256 of the previous
 * hash, 32 bytes, then the text), so that no second program has to agree with us on how JSON is written.
 */
export function linked(queued: QueuedEvent, previous: Link): EventRow {
  const event = recorded(queued, previous.sequence + 1);
  const body = JSON.stringify(event);
  return {
    sequence: event.sequence,
    id: event.id,
    event: event.event,
    body,
    hash: linkHash(previous.hash, body),
  };
}

/** Whether `row` is, untouched, the event that follows `previous`. */
export function holds(row: EventRow, previous: Link): boolean {
  if (row.sequence !== previous.sequence + 1) return false;
  if (Buffer.compare(row.hash, linkHash(previous.hash, row.body)) !== 0) return false;
  const event = JSON.parse(row.body) as RecordedEvent;
  return event.sequence === row.sequence && event.id === row.id && event.event === row.event;
}

function linkHash(previous: Uint8Array, body: string): Uint8Array {
  return hash('sha256', Buffer.concat([previous, Buffer.from(body, 'utf8')]), 'buffer');
}
