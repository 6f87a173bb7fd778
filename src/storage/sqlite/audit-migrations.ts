import type { Migration } from './database.ts';

export const auditMigrations: readonly Migration[] = [
  {
    room: 'audit',
    version: 1,
    sql: `
      -- One row for each batch that was written: an event a row costs a busy proxy four times as much.
      CREATE TABLE audit_blocks (
        last_sequence INTEGER PRIMARY KEY,
        events INTEGER NOT NULL,
        body TEXT NOT NULL,
        hash BLOB NOT NULL
      ) STRICT;

      -- One row. The archived end is where the table's first block links to, the head where its last must end.
      CREATE TABLE audit_chain (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        archived_sequence INTEGER NOT NULL,
        archived_hash BLOB NOT NULL,
        head_sequence INTEGER NOT NULL,
        head_hash BLOB NOT NULL
      ) STRICT;
      INSERT INTO audit_chain VALUES (1, 0, zeroblob(32), 0, zeroblob(32));

      CREATE TRIGGER audit_blocks_are_final BEFORE UPDATE ON audit_blocks
      BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
      CREATE TRIGGER audit_blocks_stay BEFORE DELETE ON audit_blocks
      WHEN OLD.last_sequence > (SELECT archived_sequence FROM audit_chain)
      BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
    `,
  },
];
