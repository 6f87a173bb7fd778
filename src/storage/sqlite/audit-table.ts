import { AuthsomeError } from '../../errors.ts';
import type { AuditTable, BlockRow, ChainEnds, ChainLink } from '../audit-table.ts';
import type { Database } from './database.ts';

const columns = 'last_sequence AS lastSequence, events, body, hash';

export class SqliteAuditTable implements AuditTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  ends(): ChainEnds {
    const row = this.#database.one<{
      archived_sequence: number;
      archived_hash: Uint8Array;
      head_sequence: number;
      head_hash: Uint8Array;
    }>('SELECT archived_sequence, archived_hash, head_sequence, head_hash FROM audit_chain');
    if (row === undefined) {
      const { path } = this.#database;
      throw new AuthsomeError('DatabaseCorrupt', `the audit trail's chain record is missing: ${path}`, {
        hint: `Restore ${path} from a backup while no daemon is running.`,
      });
    }
    return {
      archived: { sequence: row.archived_sequence, hash: row.archived_hash },
      head: { sequence: row.head_sequence, hash: row.head_hash },
    };
  }

  blockAfter(sequence: number): BlockRow | undefined {
    return this.#database.one<BlockRow>(
      `SELECT ${columns} FROM audit_blocks WHERE last_sequence > ? ORDER BY last_sequence LIMIT 1`,
      sequence,
    );
  }

  blocksBetween(after: number, upTo: number, limit: number): readonly BlockRow[] {
    return this.#database.all<BlockRow>(
      `SELECT ${columns} FROM audit_blocks WHERE last_sequence > ? AND last_sequence <= ? ORDER BY last_sequence LIMIT ?`,
      after,
      upTo,
      limit,
    );
  }

  blockBefore(sequence: number): BlockRow | undefined {
    return this.#database.one<BlockRow>(
      `SELECT ${columns} FROM audit_blocks WHERE last_sequence < ? ORDER BY last_sequence DESC LIMIT 1`,
      sequence,
    );
  }

  // No index: an id is looked up by hand now and then, and keeping random ids sorted would double what each event costs.
  blockContaining(words: string, since: number, before: number): BlockRow | undefined {
    return this.#database.one<BlockRow>(
      `SELECT ${columns} FROM audit_blocks WHERE last_sequence < ? AND last_sequence > ? AND instr(body, ?) > 0 ORDER BY last_sequence DESC LIMIT 1`,
      before,
      since,
      words,
    );
  }

  append(link: (ends: ChainEnds) => BlockRow, durability: 'synced' | 'unsynced'): void {
    const write = (): void => {
      const block = link(this.ends());
      this.#database.run(
        'INSERT INTO audit_blocks (last_sequence, events, body, hash) VALUES (?, ?, ?, ?)',
        block.lastSequence,
        block.events,
        block.body,
        block.hash,
      );
      this.#database.run(
        'UPDATE audit_chain SET head_sequence = ?, head_hash = ?',
        block.lastSequence,
        block.hash,
      );
    };
    if (durability === 'synced') this.#database.transaction(write);
    else this.#database.unsyncedTransaction(write);
  }

  sync(): void {
    // Any write will do: its sync carries everything before it to the disk.
    this.#database.transaction(() => this.#database.run('UPDATE audit_chain SET one = 1'));
  }

  forgetArchived(archived: ChainLink, last: ChainLink): void {
    this.#database.transaction(() => {
      const moved = this.#database.run(
        'UPDATE audit_chain SET archived_sequence = ?, archived_hash = ? WHERE archived_sequence = ?',
        last.sequence,
        last.hash,
        archived.sequence,
      );
      if (moved === 1) {
        this.#database.run('DELETE FROM audit_blocks WHERE last_sequence <= ?', last.sequence);
      }
    });
  }
}
