import { AuthsomeError } from '../errors.ts';
import type { Database } from '../storage/index.ts';
import { type Block, endOf, type Link } from './chain.ts';

const columns = 'last_sequence AS lastSequence, events, body, hash';

/** Where the chain in the database begins, which is where the archive ends, and where it ends. */
export interface Ends {
  readonly archived: Link;
  readonly head: Link;
}

export function endsOf(database: Database): Ends {
  const row = database.one<{
    archived_sequence: number;
    archived_hash: Uint8Array;
    head_sequence: number;
    head_hash: Uint8Array;
  }>('SELECT archived_sequence, archived_hash, head_sequence, head_hash FROM audit_chain');
  if (row === undefined) {
    throw new AuthsomeError('DatabaseCorrupt', `the audit trail has lost its ends: ${database.path}`, {
      hint: `Put ${database.path} back from a backup while no daemon runs.`,
    });
  }
  return {
    archived: { sequence: row.archived_sequence, hash: row.archived_hash },
    head: { sequence: row.head_sequence, hash: row.head_hash },
  };
}

/** The block with the first event after this one. */
export function blockAfter(database: Database, sequence: number): Block | undefined {
  return database.one<Block>(
    `SELECT ${columns} FROM audit_blocks WHERE last_sequence > ? ORDER BY last_sequence LIMIT 1`,
    sequence,
  );
}

/** The first `limit` blocks after one event, up to another. */
export function blocksBetween(
  database: Database,
  after: number,
  upTo: number,
  limit: number,
): readonly Block[] {
  return database.all<Block>(
    `SELECT ${columns} FROM audit_blocks WHERE last_sequence > ? AND last_sequence <= ? ORDER BY last_sequence LIMIT ?`,
    after,
    upTo,
    limit,
  );
}

/** The newest block whose last event is before this one. */
export function blockBefore(database: Database, sequence: number): Block | undefined {
  return database.one<Block>(
    `SELECT ${columns} FROM audit_blocks WHERE last_sequence < ? ORDER BY last_sequence DESC LIMIT 1`,
    sequence,
  );
}

/**
 * As `blockBefore`, of those after `since` whose text holds these words. No index: an id is looked up by hand now and then,
 * and keeping random ids sorted would double what each event costs.
 */
export function blockThatHolds(
  database: Database,
  words: string,
  since: number,
  before: number,
): Block | undefined {
  return database.one<Block>(
    `SELECT ${columns} FROM audit_blocks WHERE last_sequence < ? AND last_sequence > ? AND instr(body, ?) > 0 ORDER BY last_sequence DESC LIMIT 1`,
    before,
    since,
    words,
  );
}

/** Adds the block that follows the head. Within a transaction. */
export function appendBlock(database: Database, block: Block): void {
  database.run(
    'INSERT INTO audit_blocks (last_sequence, events, body, hash) VALUES (?, ?, ?, ?)',
    block.lastSequence,
    block.events,
    block.body,
    block.hash,
  );
  database.run('UPDATE audit_chain SET head_sequence = ?, head_hash = ?', block.lastSequence, block.hash);
}

/** Takes out the blocks up to `last`, which are in the archive now; does nothing when another process did. */
export function forgetArchived(database: Database, archived: Link, last: Block): void {
  const end = endOf(last);
  database.transaction(() => {
    const moved = database.run(
      'UPDATE audit_chain SET archived_sequence = ?, archived_hash = ? WHERE archived_sequence = ?',
      end.sequence,
      end.hash,
      archived.sequence,
    );
    if (moved === 1) database.run('DELETE FROM audit_blocks WHERE last_sequence <= ?', end.sequence);
  });
}

/** Any write will do: its sync carries everything before it to the disk. */
export function syncEarlierWrites(database: Database): void {
  database.transaction(() => database.run('UPDATE audit_chain SET one = 1'));
}
