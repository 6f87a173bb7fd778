import type { Match } from './match.ts';

/** A match, and what the vault has for it. */
export interface Finding extends Match {
  readonly inVault: 'same' | 'different' | 'absent';
  /** The connection that has this value. If `different`, the one that would be replaced. */
  readonly connection: string | undefined;
}

export interface PlannedImport {
  readonly findings: readonly [Finding, ...Finding[]];
  readonly connection: string;
  readonly replaces: boolean;
}

/** Whether a rewrite replaces it. A token of an agent's own sign-in is more than one secret, and is taken over as a whole. */
export function isReplaced({ place, inVault }: Finding): boolean {
  return inVault === 'same' && place !== undefined && place.assignment.agent === undefined;
}

/** A finding that is not imported: the reason as a sentence, and what to do where something can be done. */
interface Skipped {
  readonly finding: Finding;
  readonly reason: string;
  readonly hint: string | undefined;
}

interface ImportPlan {
  readonly imports: readonly PlannedImport[];
  readonly skipped: readonly Skipped[];
}

interface ImportPlanOptions {
  /** A value that differs from the vault replaces the provider's default connection, and gets none of its own. */
  readonly force: boolean;
  /** The names that are taken already, by provider. */
  readonly connections: ReadonlyMap<string, readonly string[]>;
}

/**
 * What to import, and under which name: each value becomes a connection of its own. A finding that is in the vault already is
 * in neither list.
 */
export function planImports(findings: readonly Finding[], options: ImportPlanOptions): ImportPlan {
  const imports: PlannedImport[] = [];
  const skipped: Skipped[] = [];
  const movable: Finding[] = [];
  for (const finding of findings) {
    if (finding.inVault === 'same') continue;
    const obstacle = obstacleOf(finding, findings);
    if (obstacle === undefined) movable.push(finding);
    else skipped.push({ finding, ...obstacle });
  }
  for (const ofProvider of groupBy(movable, ({ provider }) => provider.provider)) {
    const values = groupBy(ofProvider, ({ value }) => value);
    const { provider } = ofProvider[0].provider;
    const isReplacement = options.force && ofProvider[0].inVault === 'different';
    const replaced = isReplacement ? ofProvider[0].connection : undefined;
    if (replaced !== undefined && values.length > 1) {
      const reason = `${values.length} different values could replace ${provider}/${replaced}`;
      const hint = 'Name the one file to take it from: authsome scan <file> --import --force';
      skipped.push(...ofProvider.map((finding) => ({ finding, reason, hint })));
      continue;
    }
    const taken = new Set(options.connections.get(provider));
    for (const same of values) {
      const connection = replaced ?? (taken.size === 0 ? 'default' : freeName(nameFrom(same[0]), taken));
      taken.add(connection);
      imports.push({ findings: same, connection, replaces: replaced !== undefined });
    }
  }
  return { imports, skipped };
}

function obstacleOf(finding: Finding, all: readonly Finding[]): Pick<Skipped, 'reason' | 'hint'> | undefined {
  const { provider, alternatives, place } = finding;
  const later = all.find(
    (other) =>
      place !== undefined &&
      other.place?.file === place.file &&
      other.variable === finding.variable &&
      other.place.assignment.section === place.assignment.section &&
      other.place.assignment.line > place.assignment.line,
  );
  if (later !== undefined && later.value !== finding.value) {
    return { reason: `line ${later.place?.assignment.line} sets it again`, hint: undefined };
  }
  if (place?.assignment.agent !== undefined) {
    return {
      reason: `it belongs to the agent's own sign-in`,
      hint: `Take that over with: authsome login ${provider.provider}`,
    };
  }
  if (alternatives.length > 0) {
    const names = [provider, ...alternatives].map((each) => each.provider);
    return {
      reason: `it may be a key for ${names.join(' or ')}`,
      hint: `Rename the variable after its provider, or run: authsome login <${names.join('|')}>`,
    };
  }
  if (!provider.takesKey) {
    return {
      reason: `${provider.displayName} does not accept an API key`,
      hint: `Sign in with: authsome login ${provider.provider}`,
    };
  }
  return undefined;
}

/**
 * `production` for `.env.production`, `api` for `services/api/.env`, the tool's name for a file of a tool's, otherwise from
 * the variable's name.
 */
function nameFrom({ place, variable }: Finding): string {
  const [file = '', directory] = (place?.file ?? '').split(/[\\/]/).reverse();
  const suffix = /^\.env[.-]([A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(file)?.[1];
  const tool =
    place === undefined || ['env', 'shell'].includes(place.reader.name) ? undefined : place.reader.name;
  const folder = file === '.env' && directory !== '~' ? directory : undefined;
  return (suffix ?? tool ?? (folder || variable))
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '')
    .slice(0, 60);
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const base = wanted === '' ? 'imported' : wanted;
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!taken.has(name)) return name;
  }
}

/** In the order of first appearance. */
function groupBy<T>(items: readonly T[], key: (item: T) => string): readonly [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
