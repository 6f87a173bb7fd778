import type { IdentityRow, PrincipalRow, PrincipalTable } from '../principal-table.ts';
import type { Database } from './database.ts';

export class SqlitePrincipalTable implements PrincipalTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async all(): Promise<readonly PrincipalRow[]> {
    return this.#database.all<PrincipalRow>(
      'SELECT id, role, vault_id AS vaultId FROM principals ORDER BY created_at_ms, id',
    );
  }

  async identity(did: string): Promise<IdentityRow | undefined> {
    const row = this.#database.one<PrincipalRow & Pick<IdentityRow, 'handle'>>(
      'SELECT handle, id, role, vault_id AS vaultId FROM identities JOIN principals ON id = principal_id WHERE did = ?',
      did,
    );
    if (row === undefined) return undefined;
    const { handle, id, role, vaultId } = row;
    return { did, handle, principal: { id, role, vaultId } };
  }

  async addFirst({ did, handle, principal }: IdentityRow, createdAtMs: number): Promise<boolean> {
    return this.#database.transaction(() => {
      if (this.#database.one('SELECT 1 FROM principals LIMIT 1') !== undefined) return false;
      this.#database.run(
        'INSERT INTO principals (id, role, vault_id, created_at_ms) VALUES (?, ?, ?, ?)',
        principal.id,
        principal.role,
        principal.vaultId,
        createdAtMs,
      );
      this.#database.run(
        'INSERT INTO identities (did, handle, principal_id, admitted_at_ms) VALUES (?, ?, ?, ?)',
        did,
        handle,
        principal.id,
        createdAtMs,
      );
      return true;
    });
  }
}
