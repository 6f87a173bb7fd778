import type { Finding, Reader } from '../../scan/index.ts';
import type { RewriteOutcome } from './rewrite.ts';

/** How to start what reads the rewritten files: a tool by its name, a program of the person's by what it is. */
export function startLine(
  findings: readonly Finding[],
  { rewritten }: Pick<RewriteOutcome, 'rewritten'>,
): string {
  const readers = readersOf(findings, { rewritten });
  const programs = [...new Set(readers.map(({ program }) => program ?? 'what you start'))];
  const [first = '', ...others] = programs;
  const what =
    others.length === 0 && first !== 'what you start' ? `${first} …` : `<${programs.join(', or ')}>`;
  return `Start what reads ${rewritten.length === 1 ? 'it' : 'them'} with: authsome run -- ${what}`;
}

/** What stops working with phantoms in these files. */
export function cautionsOf(
  findings: readonly Finding[],
  outcome: Pick<RewriteOutcome, 'rewritten'>,
): readonly string[] {
  return [...new Set(readersOf(findings, outcome).flatMap(({ caution = [] }) => caution))];
}

function readersOf(
  findings: readonly Finding[],
  { rewritten }: Pick<RewriteOutcome, 'rewritten'>,
): readonly Reader[] {
  const files = new Set(rewritten.map(({ file }) => file));
  return findings.flatMap(({ place, inVault }) =>
    place !== undefined && inVault === 'same' && files.has(place.file) ? [place.reader] : [],
  );
}
