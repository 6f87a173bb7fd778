import { homedir } from 'node:os';
import type { Client, ScanListDocument } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import {
  type Finding,
  type KeyPattern,
  type Matches,
  matchesInEnvironment,
  matchesInFile,
  type Unclaimed,
} from '../../scan/index.ts';
import { type BundledKeys, bundledKeys } from '../bundled-keys.ts';
import type { CommandContext } from '../context.ts';
import { type ChosenFile, chooseFiles, machineFiles } from './file-choice.ts';
import { readSourceFile, type SourceFile } from './source-file.ts';

export interface SearchOptions {
  readonly paths: readonly string[];
  readonly directory: string;
  /** The well-known places of tools, in place of `directory`. */
  readonly machine: boolean;
}

export interface SearchResult {
  readonly findings: readonly Finding[];
  readonly unclaimed: readonly Unclaimed[];
  /** By the file names in findings. */
  readonly files: ReadonlyMap<string, SourceFile>;
  /** The names that connections have already, by provider. */
  readonly connections: ReadonlyMap<string, readonly string[]>;
}

/** Values can be long, so one call takes a limited number. */
const valuesPerCall = 64;

/** The keys in the files and the environment, each compared with the vault. */
export async function search(context: CommandContext, options: SearchOptions): Promise<SearchResult> {
  const chosen = choose(context, options);
  const sources = readFiles(context, chosen);
  const client = await context.client();
  const list = await client.scanList();
  const patterns = patternsFor(context, list);
  const found: Matches[] = [];
  for (const { shown, reader, isNamed } of chosen) {
    const source = sources.get(shown);
    if (source === undefined) continue;
    const assignments = reader.read(source.text);
    if (assignments !== undefined) found.push(matchesInFile({ file: shown, reader }, assignments, patterns));
    else reportUnread(context, `${source.path} is not ${reader.format ?? 'text'}`, isNamed);
  }
  context.terminal.detail(`read: ${[...sources.keys()].join(', ') || 'no files'}`);
  found.push(matchesInEnvironment(context.environment, patterns));
  return {
    findings: await compare(
      client,
      found.flatMap(({ matches }) => matches),
    ),
    unclaimed: found.flatMap(({ unclaimed }) => unclaimed),
    files: sources,
    connections: new Map(list.providers.map(({ name, connections }) => [name, connections])),
  };
}

function choose(context: CommandContext, options: SearchOptions): readonly ChosenFile[] {
  const { environment, platform, terminal } = context;
  const home = environment.HOME || environment.USERPROFILE || homedir();
  const onMachine = options.machine ? machineFiles({ home, environment, platform }) : [];
  if (options.machine && options.paths.length === 0) return onMachine;
  const { files, omissions } = chooseFiles(options.paths, options.directory);
  for (const omission of omissions) terminal.warn(omission);
  const paths = new Set(onMachine.map(({ path }) => path));
  return [...onMachine, ...files.filter(({ path }) => !paths.has(path))];
}

function readFiles(context: CommandContext, chosen: readonly ChosenFile[]): ReadonlyMap<string, SourceFile> {
  const sources = new Map<string, SourceFile>();
  for (const { shown, path, isNamed } of chosen) {
    try {
      sources.set(shown, readSourceFile(path));
    } catch (error) {
      if (isNamed || !(error instanceof AuthsomeError)) throw error;
      reportUnread(context, error.message, false);
    }
  }
  return sources;
}

function reportUnread({ terminal }: CommandContext, what: string, isNamed: boolean): void {
  if (isNamed) throw new AuthsomeError('Usage', what, { hint: 'Nothing was changed.' });
  terminal.warn(`Skipped: ${what}`);
}

async function compare(client: Client, matches: Matches['matches']): Promise<readonly Finding[]> {
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
    const sources = new Map(list.providers.map(({ name, source }) => [name, source]));
    return keyPatternsOf(list.providers).map((pattern) =>
      sources.get(pattern.provider) === 'bundled' ? pattern : { ...pattern, strangersHosts: pattern.hosts },
    );
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
    hosts: provider.hosts,
    takesKey: provider.takes_key,
  }));
}
