import { shellWord } from '../../command-line.ts';
import { type Finding, isReplaced, type Reader } from '../../scan/index.ts';
import type { RewriteOutcome } from './rewrite.ts';

type Rewritten = Pick<RewriteOutcome, 'rewritten'>;

interface Replaced {
  readonly file: string;
  readonly reader: Reader;
  readonly provider: string;
  readonly connection: string;
  /** Whether a run sets this very variable, to the phantom of the first connection of the provider. */
  readonly isExported: boolean;
}

/**
 * How to start what reads the rewritten files: a tool by its name, a program of the person's by what it is. `connections` has
 * the names of each provider's, the default first. That one is in a run anyway; others are only if they are asked for. Files
 * that need others get a line of their own: a program reads one of them, and most prefer what their environment has already.
 */
export function startLines(
  findings: readonly Finding[],
  outcome: Rewritten,
  connections: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const groups = new Map<string, Replaced[]>();
  const replaced = replacedIn(findings, outcome);
  for (const file of new Set(replaced.map((each) => each.file))) {
    const inFile = replaced.filter((each) => each.file === file);
    const options = optionsFor(inFile, connections)
      .map((option) => `--connection ${option} `)
      .join('');
    groups.set(options, [...(groups.get(options) ?? []), ...inFile]);
  }
  return [...groups].map(([options, group]) => {
    const files = [...new Set(group.map(({ file }) => file))];
    const what = groups.size > 1 ? listed(files, 'and') : files.length === 1 ? 'it' : 'them';
    return `Start what reads ${what} with: authsome run ${options}-- ${programIn(group)}`;
  });
}

function programIn(group: readonly Replaced[]): string {
  const programs = [...new Set(group.map(({ reader }) => reader.program ?? 'what you start'))];
  const [first = '', ...others] = programs;
  return others.length === 0 && first !== 'what you start' ? `${first} …` : `<${listed(programs, 'or')}>`;
}

function listed(words: readonly string[], conjunction: string): string {
  return words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

/** `P=NAME` for every connection of a provider that is in the file, where it has another than the default. */
function optionsFor(
  replaced: readonly Replaced[],
  connections: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return [...new Set(replaced.map(({ provider }) => provider))].flatMap((provider) => {
    const ofProvider = replaced.filter((each) => each.provider === provider);
    const names = new Set(ofProvider.map(({ connection }) => connection));
    const fallback = connections.get(provider)?.[0] ?? 'default';
    if (names.size === 1 && names.has(fallback)) return [];
    const exported = ofProvider.findLast(({ isExported }) => isExported)?.connection ?? fallback;
    const first = names.has(exported) ? [exported] : [];
    return [...new Set([...first, ...names])].map((name) => shellWord(`${provider}=${name}`));
  });
}

/** What stops working with phantoms in these files. */
export function cautionsOf(findings: readonly Finding[], outcome: Rewritten): readonly string[] {
  return [...new Set(replacedIn(findings, outcome).flatMap(({ reader }) => reader.caution ?? []))];
}

function replacedIn(findings: readonly Finding[], { rewritten }: Rewritten): readonly Replaced[] {
  const files = new Set(rewritten.map(({ file }) => file));
  return findings.flatMap((finding) => {
    const { place, provider, variable, connection = 'default' } = finding;
    if (place === undefined || !files.has(place.file) || !isReplaced(finding)) return [];
    return [
      {
        file: place.file,
        reader: place.reader,
        provider: provider.provider,
        connection,
        isExported: provider.variables.includes(variable),
      },
    ];
  });
}
