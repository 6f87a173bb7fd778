import { scrypt } from 'node:crypto';
import { AuthsomeError } from '../errors.ts';
import type { KeyWrappingRow } from '../storage/index.ts';
import { passphraseBytes } from './passphrase-text.ts';
import { keyBytes, type Place, type RandomBytes, type SealingKey, seal, sealingKey, unseal } from './seal.ts';

/** Parameters of scrypt (RFC 7914 §2). */
interface Scrypt {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
}

/** 128 MiB and about half a second for each guess. */
const newCost = { n: 2 ** 17, r: 8, p: 1 } as const;
const saltBytes = 16;
/** 1 GiB: who can write the database must not be able to make the next start take all memory. */
const largestN = 2 ** 20;

/** The master key wrapped with a passphrase: scrypt derives the key that seals it. Takes about half a second. */
export async function wrapWithPassphrase(
  masterKey: Uint8Array,
  passphrase: string,
  randomBytes: RandomBytes,
): Promise<KeyWrappingRow> {
  const cost: Scrypt = { ...newCost, salt: randomBytes(saltBytes) };
  const key = await derivedKey(passphrase, cost);
  return { parameters: encodeCost(cost), sealed: seal(key, placeOf(cost), masterKey, randomBytes) };
}

/**
 * The master key in a wrapping. Throws `WrongPassphrase`, and `DatabaseCorrupt` for a wrapping that was altered or whose
 * parameters are not within the bounds of what authsome writes; nothing is derived with such.
 */
export async function openWithPassphrase(row: KeyWrappingRow, passphrase: string): Promise<Uint8Array> {
  const cost = parseCost(row.parameters);
  if (cost === undefined) throw damaged();
  const key = await derivedKey(passphrase, cost);
  try {
    return unseal(key, placeOf(cost), row.sealed);
  } catch (error) {
    if (!(error instanceof AuthsomeError) || error.code !== 'WrongMasterKey') throw error;
    throw new AuthsomeError('WrongPassphrase', 'the passphrase does not open this vault');
  }
}

async function derivedKey(passphrase: string, { n, r, p, salt }: Scrypt): Promise<SealingKey> {
  const bytes = passphraseBytes(passphrase);
  try {
    const secret = await new Promise<Buffer>((resolve, reject) => {
      // What scrypt needs (RFC 7914 §2), and no more: Node's own limit is 32 MiB.
      const maxmem = 128 * r * (n + p + 2);
      scrypt(bytes, salt, keyBytes, { N: n, r, p, maxmem }, (error, key) =>
        error === null ? resolve(key) : reject(error),
      );
    });
    try {
      return sealingKey(secret);
    } finally {
      secret.fill(0);
    }
  } finally {
    bytes.fill(0);
  }
}

/** The parameters are part of the place: with others, nothing opens. */
function placeOf(cost: Scrypt): Place {
  return { vault: '', record: `passphrase ${encodeCost(cost)}`, field: 'master key', version: 1 };
}

function encodeCost({ n, r, p, salt }: Scrypt): string {
  return JSON.stringify({ kdf: 'scrypt', n, r, p, salt: Buffer.from(salt).toString('base64url') });
}

/** `undefined` for anything that `encodeCost` does not write within the bounds. Nothing here is cheaper than a new one. */
function parseCost(text: string): Scrypt | undefined {
  const match = /^\{"kdf":"scrypt","n":(\d{1,8}),"r":8,"p":1,"salt":"([\w-]{22})"\}$/.exec(text);
  if (match === null) return undefined;
  const n = Number(match[1]);
  if (!Number.isInteger(Math.log2(n)) || n < newCost.n || n > largestN) return undefined;
  return { n, r: 8, p: 1, salt: Buffer.from(match[2] ?? '', 'base64url') };
}

function damaged(): AuthsomeError {
  return new AuthsomeError(
    'DatabaseCorrupt',
    'the stored parameters of the passphrase are not ones that authsome writes',
    {
      hint: 'Restore server/authsome.db from a backup while no daemon is running, or set AUTHSOME_MASTER_KEY.',
    },
  );
}
