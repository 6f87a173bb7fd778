import type { Migration } from '../database/index.ts';

export const auditMigrations: readonly Migration[] = [
  {
    room: 'audit',
    version: 1,
    sql: `
      CREATE TABLE audit_events (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        event TEXT NOT NULL,
        body TEXT NOT NULL,
        hash BLOB NOT NULL
      ) STRICT;
      CREATE INDEX audit_decisions ON audit_events (id) WHERE event = 'decision';
      CREATE INDEX audit_latest_decision ON audit_events (sequence) WHERE event = 'decision';

      -- One row. The archived end is where the table's first event links to, the head where its last must end.
      CREATE TABLE audit_chain (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        archived_sequence INTEGER NOT NULL,
        archived_hash BLOB NOT NULL,
        head_sequence INTEGER NOT NULL,
        head_hash BLOB NOT NULL
      ) STRICT;
      INSERT INTO audit_chain VALUES (1, 0, zeroblob(32), 0, zeroblob(32));

      CREATE TRIGGER audit_events_are_final BEFORE UPDATE ON audit_events
      BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
      CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events
      WHEN OLD.sequence > (SELECT archived_sequence FROM audit_chain)
      BEGIN SELECT raise(ABORT, 'the audit trail is append-only'); END;
    `,
  },
];
