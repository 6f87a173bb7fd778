import { AuthsomeError } from '../errors.ts';
import type { Verified } from '../identity/index.ts';
import type { Database } from '../storage/index.ts';
import { randomId } from './random-id.ts';

export interface Principal {
  readonly id: string;
  readonly role: 'admin' | 'user';
  readonly vaultId: string;
}

/** An identity that was admitted. Its handle is the one it was admitted with, whatever it calls itself now. */
export interface Caller {
  readonly did: string;
  readonly handle: string;
  readonly principal: Principal;
}

export interface Principals {
  all(): readonly Principal[];
  /**
   * The caller behind a verified identity. The very first one that has proved to come from this home owns the first
   * principal and its vault; others that nobody admitted fail with `IdentityNotAllowed`.
   */
  admit(verified: Verified, isFromHome: boolean): Caller;
}

export interface PrincipalsOptions {
  readonly database: Database;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly onAdmitted: (caller: Caller) => void;
  readonly onRefused: (verified: Verified) => void;
}

interface CallerRow {
  readonly did: string;
  readonly handle: string;
  readonly id: string;
  readonly role: Principal['role'];
  readonly vault_id: string;
}

export function createPrincipals(options: PrincipalsOptions): Principals {
  const { database, nowMs, randomBytes, onAdmitted, onRefused } = options;
  const callers = new Map<string, Caller>();
  let refusalRecordedAtMs = Number.NEGATIVE_INFINITY;

  /** Once a second is enough to know: anybody on the machine can knock, and must not fill the disk with it. */
  const recordRefusal = (verified: Verified): void => {
    if (Math.abs(nowMs() - refusalRecordedAtMs) < 1_000) return;
    refusalRecordedAtMs = nowMs();
    onRefused(verified);
  };

  const stored = (did: string): Caller | undefined => {
    const row = database.one<CallerRow>(
      'SELECT did, handle, id, role, vault_id FROM identities JOIN principals ON id = principal_id WHERE did = ?',
      did,
    );
    if (row === undefined) return undefined;
    return {
      did: row.did,
      handle: row.handle,
      principal: { id: row.id, role: row.role, vaultId: row.vault_id },
    };
  };

  /** Inside one write transaction, so that of two first identities only one finds the table empty. */
  const claim = (verified: Verified): Caller | undefined => {
    const claimed = database.transaction(() => {
      if (database.one('SELECT 1 FROM principals LIMIT 1') !== undefined) return undefined;
      const principal: Principal = {
        id: `prn_${randomId(randomBytes)}`,
        role: 'admin',
        vaultId: `vlt_${randomId(randomBytes)}`,
      };
      database.run(
        'INSERT INTO principals (id, role, vault_id, created_at_ms) VALUES (?, ?, ?, ?)',
        principal.id,
        principal.role,
        principal.vaultId,
        nowMs(),
      );
      database.run(
        'INSERT INTO identities (did, handle, principal_id, admitted_at_ms) VALUES (?, ?, ?, ?)',
        verified.did,
        verified.handle,
        principal.id,
        nowMs(),
      );
      return { did: verified.did, handle: verified.handle, principal };
    });
    if (claimed !== undefined) onAdmitted(claimed);
    return claimed;
  };

  return {
    all: () =>
      database
        .all<{ id: string; role: Principal['role']; vault_id: string }>(
          'SELECT id, role, vault_id FROM principals ORDER BY created_at_ms, id',
        )
        .map((row) => ({ id: row.id, role: row.role, vaultId: row.vault_id })),
    admit(verified, isFromHome) {
      const cached = callers.get(verified.did);
      if (cached !== undefined) return cached;
      const caller = stored(verified.did) ?? (isFromHome ? claim(verified) : undefined);
      if (caller === undefined) {
        recordRefusal(verified);
        throw new AuthsomeError(
          'IdentityNotAllowed',
          `the identity ${verified.handle} (${verified.did}) does not belong to this daemon's principal`,
          {
            hint: isFromHome
              ? 'Use the identity that owns it (AUTHSOME_IDENTITY), or another AUTHSOME_HOME.'
              : 'Use the identity that owns it (AUTHSOME_IDENTITY). The first one has to call from its home: authsome whoami',
          },
        );
      }
      callers.set(caller.did, caller);
      return caller;
    },
  };
}
