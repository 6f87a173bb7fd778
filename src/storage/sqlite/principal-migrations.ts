import type { Migration } from './database.ts';

export const principalMigrations: readonly Migration[] = [
  {
    room: 'daemon',
    version: 1,
    sql: `
      CREATE TABLE principals (
        id TEXT PRIMARY KEY,
        role TEXT NOT NULL CHECK (role IN ('admin', 'user')),
        vault_id TEXT NOT NULL UNIQUE,
        created_at_ms INTEGER NOT NULL
      ) STRICT;
      CREATE TABLE identities (
        did TEXT PRIMARY KEY,
        handle TEXT NOT NULL,
        principal_id TEXT NOT NULL REFERENCES principals (id),
        admitted_at_ms INTEGER NOT NULL
      ) STRICT;
    `,
  },
];
