import type { LeaseKey, LeaseRow, LeaseTable } from '../lease-table.ts';
import type { Database } from './database.ts';

export class SqliteLeaseTable implements LeaseTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async find({ scope, name }: LeaseKey): Promise<LeaseRow | undefined> {
    return this.#database.one<LeaseRow>(
      'SELECT owner, renewals, expires_at_ms AS expiresAtMs FROM leases WHERE scope = ? AND name = ?',
      scope,
      name,
    );
  }

  async take({ scope, name }: LeaseKey, owner: string, expiresAtMs: number): Promise<boolean> {
    const taken = this.#database.run(
      'INSERT OR IGNORE INTO leases (scope, name, owner, renewals, expires_at_ms) VALUES (?, ?, ?, 0, ?)',
      scope,
      name,
      owner,
      expiresAtMs,
    );
    return taken === 1;
  }

  async takeOver(
    { scope, name }: LeaseKey,
    found: LeaseRow,
    owner: string,
    expiresAtMs: number,
  ): Promise<boolean> {
    const taken = this.#database.run(
      'UPDATE leases SET owner = ?, renewals = 0, expires_at_ms = ? WHERE scope = ? AND name = ? AND owner = ? AND renewals = ?',
      owner,
      expiresAtMs,
      scope,
      name,
      found.owner,
      found.renewals,
    );
    return taken === 1;
  }

  async renew({ scope, name }: LeaseKey, owner: string, expiresAtMs: number): Promise<void> {
    this.#database.run(
      'UPDATE leases SET renewals = renewals + 1, expires_at_ms = ? WHERE scope = ? AND name = ? AND owner = ?',
      expiresAtMs,
      scope,
      name,
      owner,
    );
  }

  async release({ scope, name }: LeaseKey, owner: string): Promise<void> {
    this.#database.run('DELETE FROM leases WHERE scope = ? AND name = ? AND owner = ?', scope, name, owner);
  }

  async freeAll(): Promise<void> {
    this.#database.run('DELETE FROM leases');
  }
}
