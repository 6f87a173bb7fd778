import type { Migration } from './database.ts';

export const vaultMigrations: readonly Migration[] = [
  {
    room: 'vault',
    version: 1,
    sql: `
      CREATE TABLE vaults (
        id TEXT PRIMARY KEY,
        wrapped_key BLOB NOT NULL,
        key_check BLOB NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE records (
        vault TEXT NOT NULL REFERENCES vaults (id),
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        fields TEXT NOT NULL,
        proof BLOB NOT NULL,
        PRIMARY KEY (vault, kind, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE secrets (
        vault TEXT NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        field TEXT NOT NULL,
        sealed BLOB NOT NULL,
        PRIMARY KEY (vault, kind, name, field),
        FOREIGN KEY (vault, kind, name) REFERENCES records (vault, kind, name) ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE leases (
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        renewals INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        PRIMARY KEY (scope, name)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    room: 'vault',
    version: 2,
    sql: `
      CREATE TABLE key_wrappings (
        kind TEXT PRIMARY KEY,
        parameters TEXT NOT NULL,
        sealed BLOB NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
