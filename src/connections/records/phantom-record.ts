import type { StoredRecord, Vault } from '../../vault/index.ts';
import { withoutUndefined } from './stored-fields.ts';

/** A phantom of a connection, as the vault has it. */
export interface StoredPhantom {
  readonly value: string;
  /** What it stands for: the connection's credential, or another secret of its grant. */
  readonly part: string;
  /** The kind of secret that it has the shape of. */
  readonly kind: string;
  /** It stands for nothing any more, and is still known as a phantom. */
  readonly isRetired: boolean;
}

/** All phantoms of one connection, the newest first. */
export interface PhantomRecord {
  /** `provider/connection`. */
  readonly connection: string;
  /** The sign-in whose secrets the newest ones have the shape of; `undefined` where that could not be seen. */
  readonly signIn: string | undefined;
  readonly phantoms: readonly StoredPhantom[];
  /** 0 where nothing is stored yet. */
  readonly version: number;
}

export async function readPhantoms(vault: Vault, connection: string): Promise<PhantomRecord> {
  const record = await vault.read('phantom', connection);
  return record === undefined
    ? { connection, signIn: undefined, phantoms: [], version: 0 }
    : phantomsFrom(record);
}

/**
 * Those of every connection, also of ones that are gone. One that cannot be opened has no phantoms: that must not keep
 * every run from starting, and the next run makes a new one.
 */
export async function listPhantoms(vault: Vault): Promise<readonly PhantomRecord[]> {
  const records = await vault.list('phantom');
  return await Promise.all(
    records.map(({ name, version }) =>
      readPhantoms(vault, name).catch(() => ({
        connection: name,
        signIn: undefined,
        phantoms: [],
        version,
      })),
    ),
  );
}

/** `undefined` when another process wrote first. */
export async function writePhantoms(vault: Vault, record: PhantomRecord): Promise<PhantomRecord | undefined> {
  const { connection, signIn, phantoms, version } = record;
  const written = await vault.write(
    {
      kind: 'phantom',
      name: connection,
      fields: withoutUndefined({ signIn }),
      secrets: { phantoms: JSON.stringify(phantoms) },
    },
    version,
  );
  return written === undefined ? undefined : { ...record, version: written.version };
}

/** Retires the phantoms of a connection that is gone. */
export async function retirePhantoms(vault: Vault, connection: string): Promise<void> {
  for (;;) {
    const record = await readPhantoms(vault, connection);
    if (record.phantoms.every(({ isRetired }) => isRetired)) return;
    if ((await writePhantoms(vault, retired(record))) !== undefined) return;
  }
}

export function retired(record: PhantomRecord): PhantomRecord {
  return { ...record, phantoms: record.phantoms.map((phantom) => ({ ...phantom, isRetired: true })) };
}

function phantomsFrom({ name, version, fields, secrets }: StoredRecord): PhantomRecord {
  // Only this module writes these records, and the vault authenticates them.
  const phantoms = JSON.parse(secrets.phantoms ?? '[]') as readonly StoredPhantom[];
  return { connection: name, signIn: fields.signIn as string | undefined, phantoms, version };
}
