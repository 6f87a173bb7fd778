import type { Client, ScanListDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import {
  type Finding,
  type KeyPattern,
  type Match,
  matchesInEnvironment,
  matchesInFile,
  parseEnvFile,
  parseShellFile,
} from '../../scan/index.ts';
import { type BundledKeys, bundledKeys } from '../bundled-keys.ts';
import type { CommandContext } from '../context.ts';
import { chooseFiles } from './file-choice.ts';
import { readSourceFile, type SourceFile } from './source-file.ts';

export interface SearchResult {
  readonly findings: readonly Finding[];
  /** By the file names in findings. */
  readonly files: ReadonlyMap<string, SourceFile>;
  /** By provider: what to write into a file in place of its secret. */
  readonly phantoms: ReadonlyMap<string, string>;
}

/** Values can be long, so one call takes a limited number. */
const valuesPerCall = 64;

/** The keys in the files and the environment, each compared with the vault. */
export async function search(
  context: CommandContext,
  options: { readonly paths: readonly string[]; readonly directory: string },
): Promise<SearchResult> {
  const chosen = chooseFiles(options.paths, options.directory);
  const files = new Map<string, SourceFile>();
  for (const { shown, path, isNamed } of chosen) {
    try {
      files.set(shown, readSourceFile(path));
    } catch (error) {
      if (isNamed || !(error instanceof AuthsomeError)) throw error;
      context.terminal.warn(`Skipped: ${error.message}`);
    }
  }
  const client = await context.client();
  const list = await client.scanList();
  const patterns = patternsFor(context, list);
  const inFiles = chosen.flatMap(({ shown, syntax }) => {
    const file = files.get(shown);
    if (file === undefined) return [];
    const assignments = syntax === 'shell' ? parseShellFile(file.text) : parseEnvFile(file.text);
    return matchesInFile(shown, assignments, patterns);
  });
  context.terminal.detail(`read: ${[...files.keys()].join(', ') || 'no files'}`);
  const matches = [...inFiles, ...matchesInEnvironment(context.environment, patterns)];
  return {
    findings: await compare(client, matches),
    files,
    phantoms: new Map(list.providers.map(({ name, phantom }) => [name, phantom])),
  };
}

async function compare(client: Client, matches: readonly Match[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (let from = 0; from < matches.length; from += valuesPerCall) {
    const some = matches.slice(from, from + valuesPerCall);
    const values = some.map(({ provider, value }) => ({ provider: provider.provider, value }));
    const { answers } = await client.compareSecrets({ values });
    for (const [index, match] of some.entries()) {
      const answer = answers[index];
      if (answer === undefined || answer.in_vault === 'phantom') continue;
      findings.push({ ...match, inVault: answer.in_vault, connection: answer.connection ?? undefined });
    }
  }
  return findings;
}

/** What to look for. A daemon on another machine would be sent what it asks for, so the bundled definitions decide. */
function patternsFor(context: CommandContext, list: ScanListDocument): readonly KeyPattern[] {
  const { isLocal, baseUrl } = context.settings();
  if (isLocal) {
    const strangers = new Map(list.providers.map(({ name, source, hosts }) => [name, { source, hosts }]));
    return keyPatternsOf(list.providers).map((pattern) => {
      const { source, hosts = [] } = strangers.get(pattern.provider) ?? {};
      return source === 'bundled' ? pattern : { ...pattern, strangersHosts: hosts };
    });
  }
  context.terminal.note(`Keys that are found are compared with the vault of the daemon at ${baseUrl}.`);
  const names = new Set(list.providers.map(({ name }) => name));
  return keyPatternsOf(bundledKeys(context).filter(({ name }) => names.has(name)));
}

function keyPatternsOf(providers: readonly Omit<BundledKeys, 'key_variable'>[]): readonly KeyPattern[] {
  return providers.map((provider) => ({
    provider: provider.name,
    displayName: provider.display_name,
    variables: provider.variables,
    pattern: provider.key_pattern === null ? undefined : new RegExp(provider.key_pattern),
    takesKey: provider.takes_key,
  }));
}
