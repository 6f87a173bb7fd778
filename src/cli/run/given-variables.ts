import type { RunDocument } from '../../client/index.ts';
import type { Environment } from '../../environment.ts';

/** Variables that a child gets in place of its parent's, and those that it does not get. */
export interface GivenVariables {
  /** Variable → phantom. */
  readonly phantoms: Readonly<Record<string, string>>;
  readonly secret_variables: readonly string[];
}

export interface GivenOptions {
  /** `--inherit-secrets`. */
  readonly inheritsSecrets: boolean;
  /** The parent's variables that may hold a secret. */
  readonly values: ReadonlyMap<string, string>;
  /** What the bundled definitions say about keys. */
  readonly bundledKeys: string;
}

/**
 * What the daemon says, and what only this process can see: which values look like keys of a known provider, though they are
 * in no vault. The daemon gets fingerprints of values, no more.
 */
export async function givenVariables(
  parent: Environment,
  run: RunDocument,
  { inheritsSecrets, values, bundledKeys }: GivenOptions,
): Promise<GivenVariables> {
  const { phantoms, secret_variables: dropped } = run;
  if (inheritsSecrets) {
    const missing = Object.entries(phantoms).filter(([name]) => (parent[name] ?? '') === '');
    return { phantoms: Object.fromEntries(missing), secret_variables: [] };
  }
  // The environment of an outer run has been through this.
  const isInside = run.outer_run !== undefined;
  const known = new Set([...Object.keys(phantoms), ...dropped, ...(run.phantom_variables ?? [])]);
  const unknown = [...values].filter(([name, value]) => !isInside && !known.has(name) && mayBeKey(value));
  if (unknown.length === 0) return { phantoms, secret_variables: dropped };
  const { ownerOfKey, recognizableKeys } = await import('./recognized-keys.ts');
  const keys = recognizableKeys(bundledKeys, run.key_patterns ?? []);
  const standing = run.provider_phantoms ?? {};
  const added: Record<string, string> = {};
  const removed: string[] = [];
  for (const [name, value] of unknown) {
    const owner = ownerOfKey(name, value, keys, (provider) => Object.hasOwn(standing, provider));
    if (owner === undefined) continue;
    const phantom = Object.hasOwn(standing, owner) ? standing[owner] : undefined;
    if (phantom === undefined) removed.push(name);
    else added[name] = phantom;
  }
  return { phantoms: { ...phantoms, ...added }, secret_variables: [...dropped, ...removed] };
}

/** As keys begin that a pattern can tell from other text: in most environments no other value does. */
function mayBeKey(value: string): boolean {
  return value.length >= 12 && /^[A-Za-z][A-Za-z0-9]{0,15}[-_.]/.test(value) && !value.includes('/');
}
