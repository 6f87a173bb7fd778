import { AuthsomeError } from '../errors.ts';
import type { Verified } from '../identity/index.ts';
import type { IdentityRow, PrincipalRow, PrincipalTable } from '../storage/index.ts';
import { randomId } from './random-id.ts';

export type Principal = PrincipalRow;

/** An identity that was admitted. Its handle is the one it was admitted with, whatever it calls itself now. */
export type Caller = IdentityRow;

export interface PrincipalsOptions {
  readonly table: PrincipalTable;
  readonly nowMs: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly onAdmitted: (caller: Caller) => void;
  readonly onRefused: (verified: Verified) => void;
}

/** Who may call this daemon, and as whose. Callers that were admitted once are known without a query. */
export class Principals {
  readonly #options: PrincipalsOptions;
  readonly #callers = new Map<string, Caller>();
  #refusalRecordedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: PrincipalsOptions) {
    this.#options = options;
  }

  all(): Promise<readonly Principal[]> {
    return this.#options.table.all();
  }

  /**
   * The caller behind a verified identity. The very first one that has proved to come from this home owns the first
   * principal and its vault; others that nobody admitted fail with `IdentityNotAllowed`.
   */
  async admit(verified: Verified, isFromHome: boolean): Promise<Caller> {
    const known = this.#callers.get(verified.did);
    if (known !== undefined) return known;
    const { table } = this.#options;
    const caller =
      (await table.identity(verified.did)) ?? (isFromHome ? await this.#claim(verified) : undefined);
    if (caller === undefined) {
      this.#recordRefusal(verified);
      throw notAllowed(verified, isFromHome);
    }
    this.#callers.set(caller.did, caller);
    return caller;
  }

  /** The caller as owner of the first principal; `undefined` when another identity owns it. */
  async #claim({ did, handle }: Verified): Promise<Caller | undefined> {
    const { table, nowMs, randomBytes, onAdmitted } = this.#options;
    const id = `prn_${randomId(randomBytes)}`;
    const vaultId = `vlt_${randomId(randomBytes)}`;
    const caller: Caller = { did, handle, principal: { id, role: 'admin', vaultId } };
    if (!(await table.addFirst(caller, nowMs()))) return table.identity(did);
    onAdmitted(caller);
    return caller;
  }

  /** At most one a second: anybody on the machine can be refused, and must not fill the disk with it. */
  #recordRefusal(verified: Verified): void {
    const nowMs = this.#options.nowMs();
    if (Math.abs(nowMs - this.#refusalRecordedAtMs) < 1_000) return;
    this.#refusalRecordedAtMs = nowMs;
    this.#options.onRefused(verified);
  }
}

function notAllowed({ handle, did }: Verified, isFromHome: boolean): AuthsomeError {
  return new AuthsomeError(
    'IdentityNotAllowed',
    `the identity ${handle} (${did}) does not belong to this daemon's principal`,
    {
      hint: isFromHome
        ? 'Use the identity that owns it (AUTHSOME_IDENTITY), or another AUTHSOME_HOME.'
        : 'Use the identity that owns it (AUTHSOME_IDENTITY). The first identity must call from its own home: authsome whoami',
    },
  );
}
