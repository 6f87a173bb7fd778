import type { ScanDocument, ScanSkipped } from '../../client/index.ts';
import type { Finding } from '../../scan/index.ts';
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
  return findings.map((finding) => ({ ...placeOf(finding), in_vault: finding.inVault }));
}

export function showFindings(terminal: Terminal, findings: readonly Finding[]): void {
  const { style, width } = terminal;
  const mark = { same: style.green, different: style.yellow, absent: style.red };
  const rows = findings.map((finding) => [
    [finding.provider, ...finding.alternatives].map(({ provider }) => provider).join(' or '),
    finding.variable,
    shownPlace(placeOf(finding)),
    mark[finding.inVault](safe(finding.inVault)),
  ]);
  terminal.print(formatTable(['PROVIDER', 'VARIABLE', 'WHERE', 'IN VAULT'], rows, { style, width }));
}

export function showSkipped(terminal: Terminal, skipped: readonly ScanSkipped[]): void {
  for (const { variable, file, line, reason, hint } of skipped) {
    terminal.warn(`Skipped ${variable} (${shownPlace({ file, line })}): ${reason}`);
    if (hint !== null) terminal.warn(`  ${hint}`);
  }
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
