import type { ScanDocument, ScanSkipped } from '../../client/index.ts';
import type { Finding, Unclaimed } from '../../scan/index.ts';
import { safe } from '../output/safe-text.ts';
import { formatTable } from '../output/table.ts';
import type { Terminal } from '../terminal.ts';

/** Where a finding is, for documents. */
export function placeOf(finding: Finding): {
  readonly provider: string;
  readonly variable: string;
  readonly file: string | null;
  readonly line: number | null;
} {
  return {
    provider: finding.provider.provider,
    variable: finding.variable,
    file: finding.place?.file ?? null,
    line: finding.place?.assignment.line ?? null,
  };
}

export function foundOf(findings: readonly Finding[]): ScanDocument['found'] {
  return findings.map((finding) => ({
    ...placeOf(finding),
    in_vault: finding.inVault,
    connection: finding.inVault === 'same' ? (finding.connection ?? null) : null,
  }));
}

/** What looks like a secret and has no provider, for documents. */
export function unclaimedOf(unclaimed: readonly Unclaimed[]): ScanDocument['without_provider'] {
  return unclaimed.map(({ variable, place }) => ({
    variable,
    file: place?.file ?? null,
    line: place?.line ?? null,
  }));
}

export function showFindings(
  terminal: Terminal,
  findings: readonly Finding[],
  unclaimed: ScanDocument['without_provider'],
): void {
  const { style, width } = terminal;
  const mark = { same: style.green, different: style.yellow, absent: style.red };
  const rows = findings.map((finding) => [
    ownerOf(finding),
    finding.variable,
    shownPlace(placeOf(finding)),
    mark[finding.inVault](safe(finding.inVault)),
  ]);
  for (const each of unclaimed)
    rows.push(['-', each.variable, shownPlace(each), style.dim(safe('no provider'))]);
  terminal.print(formatTable(['PROVIDER', 'VARIABLE', 'WHERE', 'IN VAULT'], rows, { style, width }));
}

export function showSkipped(terminal: Terminal, skipped: readonly ScanSkipped[]): void {
  for (const { variable, file, line, reason, hint } of skipped) {
    terminal.warn(`Skipped ${variable} (${shownPlace({ file, line })}): ${reason}`);
    if (hint !== null) terminal.warn(`  ${hint}`);
  }
}

/** What to do about secrets that have no provider. */
export function showUnclaimed(terminal: Terminal, count: number): void {
  if (count === 0) return;
  const what = count === 1 ? 'One secret has' : `${count} secrets have`;
  terminal.note(`${what} no provider, and cannot be moved. Add a provider with: authsome register <file>`);
}

/** `openai/production` where that has it, else the providers that it can be a key for. */
function ownerOf({ provider, alternatives, inVault, connection }: Finding): string {
  if (inVault === 'same' && connection !== undefined) return `${provider.provider}/${connection}`;
  return [provider, ...alternatives].map((each) => each.provider).join(' or ');
}

/** `.env:3`, or `environment`. */
export function shownPlace({
  file,
  line,
}: {
  readonly file: string | null;
  readonly line: number | null;
}): string {
  return file === null ? 'environment' : `${file}:${line}`;
}
