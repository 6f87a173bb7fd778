import { shellWord } from '../../command-line.ts';
import type { Finding, Reader } from '../../scan/index.ts';
import type { RewriteOutcome } from './rewrite.ts';

type Rewritten = Pick<RewriteOutcome, 'rewritten'>;

/**
 * How to start what reads the rewritten files: a tool by its name, a program of the person's by what it is. `connections` has
 * the names of each provider's, the default first. That one is in a run anyway; others are only if they are asked for.
 */
export function startLine(
  findings: readonly Finding[],
  { rewritten }: Rewritten,
  connections: ReadonlyMap<string, readonly string[]>,
): string {
  const replaced = replacedIn(findings, { rewritten });
  const programs = [...new Set(replaced.map(({ reader }) => reader.program ?? 'what you start'))];
  const [first = '', ...others] = programs;
  const what =
    others.length === 0 && first !== 'what you start' ? `${first} …` : `<${programs.join(', or ')}>`;
  const options = optionsFor(replaced, connections).map((option) => `--connection ${option} `);
  return `Start what reads ${rewritten.length === 1 ? 'it' : 'them'} with: authsome run ${options.join('')}-- ${what}`;
}

/** `P=NAME` for every replaced connection of a provider, where one of them is not the default. The default is the first. */
function optionsFor(
  replaced: readonly Replaced[],
  connections: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...new Set(replaced.map(({ provider }) => provider))].flatMap((provider) => {
    const names = new Set(replaced.flatMap((each) => (each.provider === provider ? [each.connection] : [])));
    const fallback = connections.get(provider)?.[0] ?? 'default';
    if (names.size === 1 && names.has(fallback)) return [];
    const inOrder = [...names].sort((left, right) => Number(right === fallback) - Number(left === fallback));
    return inOrder.map((name) => shellWord(`${provider}=${name}`));
  });
}

/** What stops working with phantoms in these files. */
export function cautionsOf(findings: readonly Finding[], outcome: Rewritten): readonly string[] {
  return [...new Set(replacedIn(findings, outcome).flatMap(({ reader }) => reader.caution ?? []))];
}

interface Replaced {
  readonly reader: Reader;
  readonly provider: string;
  readonly connection: string;
}

function replacedIn(findings: readonly Finding[], { rewritten }: Rewritten): readonly Replaced[] {
  const files = new Set(rewritten.map(({ file }) => file));
  return findings.flatMap(({ place, inVault, provider, connection = 'default' }) =>
    place !== undefined && inVault === 'same' && files.has(place.file)
      ? [{ reader: place.reader, provider: provider.provider, connection }]
      : [],
  );
}
