import type { RecognizedSecret } from '../connections/index.ts';
import type { Tenant } from '../principals/index.ts';
import type { RunSpecification } from './contract.ts';
import type { UsableConnection } from './usable-connections.ts';

/** What a run's child does not get from its parent's environment. */
export interface Withheld {
  /** Variable → phantom. */
  readonly phantoms: Readonly<Record<string, string>>;
  /** Variables that the child does not have at all. */
  readonly dropped: readonly string[];
  /** Variables whose value is a phantom already. */
  readonly alreadyPhantoms: readonly string[];
}

export interface WithholdingOptions {
  readonly held: RunSpecification['held'];
  readonly tenant: Pick<Tenant, 'catalog' | 'connections'>;
  /** Every provider that has a connection, in the run or not. */
  readonly connected: ReadonlySet<string>;
  readonly usable: readonly UsableConnection[];
  /** Variable → phantom, as the run's own definitions name them. */
  readonly exported: Readonly<Record<string, string>>;
  /** Whether a person wants nothing to be withheld. */
  readonly inheritsSecrets: boolean;
}

/**
 * The child gets no secret of any connection, whether its run may use that connection or not. So every variable that a
 * connected provider's definition names is left out, and every variable whose value is in the vault, whatever its name.
 * Where the value is the credential of a provider in the run, a phantom takes its place, so programs that read it keep
 * working. What is a phantom of one of the run's connections already stays: it may say which of several is meant.
 */
export async function withholdSecrets(options: WithholdingOptions): Promise<Withheld> {
  const { held, tenant, connected, exported } = options;
  if (options.inheritsSecrets) return { phantoms: exported, dropped: [], alreadyPhantoms: [] };
  const fingerprints = held?.fingerprints ?? {};
  const dropped = new Set([...connected].flatMap((name) => variablesOf(tenant, name)));
  const phantoms: Record<string, string> = { ...exported };
  const recognized = await recognizedOf(options);
  for (const [variable, fingerprint] of Object.entries(fingerprints)) {
    const secret = recognized.get(fingerprint);
    if (secret === undefined || Object.hasOwn(phantoms, variable)) continue;
    const phantom = phantomFor(secret, options);
    if (phantom === undefined || dropped.has(variable)) dropped.add(variable);
    else phantoms[variable] = phantom;
  }
  const own = ownPhantoms(options);
  for (const name of own.inRun) {
    delete phantoms[name];
    dropped.delete(name);
  }
  return {
    phantoms,
    dropped: [...dropped].filter((name) => !Object.hasOwn(phantoms, name)),
    alreadyPhantoms: own.all,
  };
}

/** The caller's variables that hold a phantom, and those of them that hold one of the run's connections. */
function ownPhantoms({ held, tenant, usable }: WithholdingOptions): {
  readonly all: readonly string[];
  readonly inRun: readonly string[];
} {
  const variables = Object.entries(held?.fingerprints ?? {});
  if (held === undefined || variables.length === 0) return { all: [], inRun: [] };
  const keys = new Set(usable.map(({ key }) => key));
  const isInRun = new Map(
    tenant.connections.phantoms
      .all()
      .map(({ value, connection, isRetired }) => [
        held.fingerprintOf(value),
        !isRetired && keys.has(connection),
      ]),
  );
  const all = variables.filter(([, fingerprint]) => isInRun.has(fingerprint));
  const inRun = all.filter(([, fingerprint]) => isInRun.get(fingerprint) === true);
  return { all: all.map(([name]) => name), inRun: inRun.map(([name]) => name) };
}

/** Of the connection that the secret is the credential of, or where the run does not have that, of its provider's. */
function phantomFor(
  { provider, connection, isCredential }: RecognizedSecret,
  { usable, tenant }: WithholdingOptions,
): string | undefined {
  if (!isCredential) return undefined;
  const own = usable.find(({ key }) => key === connection);
  const found = own ?? usable.find((each) => each.provider.name === provider);
  return found === undefined ? undefined : tenant.connections.phantoms.newest(found.key);
}

async function recognizedOf({
  held,
  tenant,
}: WithholdingOptions): Promise<ReadonlyMap<string, RecognizedSecret>> {
  if (held === undefined) return new Map();
  const wanted = new Set(Object.values(held.fingerprints));
  return await tenant.connections.recognize(held.fingerprintOf, wanted);
}

function variablesOf({ catalog }: Pick<Tenant, 'catalog'>, name: string): readonly string[] {
  const provider = catalog.find(name);
  if (provider === undefined) return [];
  const { apiKey, client, exportVariables } = provider;
  const names = [apiKey?.envVar, client.clientSecretEnv, ...exportVariables.map((each) => each.name)];
  return names.filter((each) => each !== undefined);
}
