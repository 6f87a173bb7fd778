import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';

/** A file as it was before its secrets were replaced, sealed. Stored as JSON. */
export interface Backup {
  readonly v: 1;
  /** Absolute path. */
  readonly file: string;
  readonly at: string;
  /** `did:key` of the identity whose key opens it. */
  readonly did: string;
  /** What the files of one rewrite have in common. Left out by older versions: each file was a rewrite of its own. */
  readonly set?: string;
  /** Permission bits. */
  readonly mode: number;
  /** SHA-256 of the rewritten content, in hex. It shows whether the file was changed since. */
  readonly rewritten: string;
  /** base64: salt (16 bytes), nonce (12), ciphertext, tag (16). */
  readonly sealed: string;
}

export interface BackupKey {
  readonly did: string;
  /** Bytes that only the owner of the identity has. */
  readonly secret: Uint8Array;
}

const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/** `original` sealed with AES-256-GCM under a key derived for this backup alone (HKDF-SHA256, RFC 5869). */
export function sealBackup(
  about: Pick<Backup, 'file' | 'at' | 'mode'> & { readonly set: string },
  contents: { readonly original: Uint8Array; readonly rewritten: Uint8Array },
  key: BackupKey,
  randomBytes: (size: number) => Uint8Array,
): Backup {
  const head = {
    v: 1 as const,
    ...about,
    did: key.did,
    rewritten: contentHash(contents.rewritten),
  };
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', deriveKey(key.secret, salt), nonce);
  cipher.setAAD(associatedData(head));
  const sealed = Buffer.concat([
    salt,
    nonce,
    cipher.update(contents.original),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return { ...head, sealed: sealed.toString('base64') };
}

/** The original; `undefined` when another identity sealed it, or when any part of it was modified. */
export function openBackup(backup: Backup, key: BackupKey): Uint8Array | undefined {
  const bytes = Buffer.from(backup.sealed, 'base64');
  if (bytes.length < saltBytes + nonceBytes + tagBytes) return undefined;
  const salt = bytes.subarray(0, saltBytes);
  const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', deriveKey(key.secret, salt), nonce);
  decipher.setAAD(associatedData(backup));
  decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(saltBytes + nonceBytes, bytes.length - tagBytes)),
      decipher.final(),
    ]);
  } catch {
    return undefined;
  }
}

/** `document` as a backup; `undefined` when it is none. */
export function parseBackup(document: unknown): Backup | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const {
    v,
    file,
    at,
    did,
    set = '',
    mode,
    rewritten,
    sealed,
  } = document as Partial<Record<keyof Backup, unknown>>;
  const isText = [file, at, did, set, rewritten, sealed].every((value) => typeof value === 'string');
  return v === 1 && isText && Number.isInteger(mode) ? (document as Backup) : undefined;
}

export function contentHash(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function deriveKey(secret: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, 'authsome scan backup 1', 32));
}

function associatedData({ v, file, at, did, set, mode, rewritten }: Omit<Backup, 'sealed'>): Uint8Array {
  return Buffer.from(
    JSON.stringify([v, file, at, did, mode, rewritten, ...(set === undefined ? [] : [set])]),
  );
}
