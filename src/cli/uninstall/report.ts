import type { RevokeDocument, UninstallDocument } from '../../client/index.ts';
import { shellWord } from '../../command-line.ts';
import type { CommandContext } from '../context.ts';
import { joined, type SafeText } from '../output/safe-text.ts';
import type { Inventory } from './inventory.ts';

/** What a removal did. */
export interface Removal {
  readonly kept: readonly string[];
  readonly keychain: boolean;
  /** By `provider/connection`. */
  readonly remote: RevokeDocument['remote'];
}

/** The command that removes the program. */
export function packageLine({ packageName }: CommandContext): string {
  return `npm uninstall -g ${shellWord(packageName)}`;
}

export function uninstallDocument(
  context: CommandContext,
  { home, files, daemon, problem, rewrittenFiles }: Inventory,
  removal: Removal | undefined,
): UninstallDocument {
  return {
    v: 1,
    home,
    removed: removal !== undefined,
    daemon: daemon === undefined ? null : { url: daemon.url, pid: daemon.pid, live_runs: daemon.liveRuns },
    bytes: files.bytes,
    files: files.files.length,
    kept: removal?.kept ?? files.others,
    keychain: removal?.keychain ?? daemon?.usesKeychain ?? null,
    connections: problem === undefined ? (daemon?.connections ?? []) : null,
    remote: removal?.remote ?? {},
    rewritten_files: rewrittenFiles,
    package: packageLine(context),
  };
}

/** What is on this machine, a line for each kind. */
export function inventoryText({ home, files, daemon, problem, rewrittenFiles }: Inventory): SafeText {
  const lines = ['authsome has on this machine:'];
  lines.push(`  ${home}: ${count(files.files.length, 'file')}, ${sizeText(files.bytes)}`);
  if (daemon !== undefined) {
    const runs = daemon.liveRuns === 0 ? '' : `, with ${count(daemon.liveRuns, 'live run')}`;
    lines.push(`  a running daemon: ${daemon.url} (pid ${daemon.pid})${runs}`);
    if (daemon.usesKeychain) lines.push(`  the master key: in the keychain, for ${home}`);
    for (const { provider, connection } of daemon.connections) {
      lines.push(`  a connection, whose grant lives on at the provider: ${provider}/${connection}`);
    }
  }
  if (problem !== undefined) lines.push(`  a vault that does not open, since ${problem.message}`);
  for (const file of rewrittenFiles) {
    lines.push(`  phantoms in ${file}: to get its keys back first: authsome scan --undo ${shellWord(file)}`);
  }
  for (const path of files.others) lines.push(`  not authsome's, so it stays: ${path}`);
  return joined(lines, '\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function sizeText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1 ? `${Math.ceil(bytes / 2 ** 10)} KiB` : `${mebibytes.toFixed(1)} MiB`;
}
