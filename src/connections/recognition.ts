import type { RecordKind, StoredRecord, Vault } from '../vault/index.ts';
import type { ConnectionsOptions, RecognizedSecret } from './contract.ts';

/**
 * The fingerprints that match a secret of the vault, and whose secret it is. Callers thus learn about values that they
 * have without sending them. A record that cannot be opened is left out: it must not keep every run from starting.
 * Records an audit event when something is recognized, without any value.
 */
export async function recognizeSecrets(
  { vault, notify }: Pick<ConnectionsOptions, 'vault' | 'notify'>,
  fingerprintOf: (secret: string) => string,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, RecognizedSecret>> {
  const recognized = new Map<string, RecognizedSecret>();
  if (wanted.size === 0) return recognized;
  for (const record of await recordsOf(vault, ['client', 'connection'])) {
    for (const [field, secret] of Object.entries(record.secrets)) {
      const fingerprint = fingerprintOf(secret);
      if (!wanted.has(fingerprint)) continue;
      const isCredential = record.kind === 'connection' && (field === 'accessToken' || field === 'apiKey');
      const connection = record.kind === 'connection' ? record.name : undefined;
      recognized.set(fingerprint, { provider: providerOf(record), connection, isCredential });
    }
  }
  if (recognized.size > 0) {
    const count = `${recognized.size} ${recognized.size === 1 ? 'variable' : 'variables'} of a run`;
    notify({ event: 'secret.compared', outcome: 'ok', detail: count });
  }
  return recognized;
}

async function recordsOf(vault: Vault, kinds: readonly RecordKind[]): Promise<readonly StoredRecord[]> {
  const listed = (await Promise.all(kinds.map((kind) => vault.list(kind)))).flat();
  const read = await Promise.all(
    listed.map(({ kind, name }) => vault.read(kind, name).catch(() => undefined)),
  );
  return read.filter((record) => record !== undefined);
}

/** A client's record is named after its provider, and after what tells it from others: `acme@https://…`, `acme#id`. */
function providerOf({ kind, name }: StoredRecord): string {
  return name.split(kind === 'connection' ? '/' : /[@#]/, 1)[0] ?? name;
}
