import { accessSync, constants, statSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type {
  Client,
  DryRunDocument,
  RunDocument,
  RunOpening,
  RunPreviewDocument,
} from '../../client/index.ts';
import type { Environment } from '../../environment.ts';
import type { RunDefaults } from '../../settings.ts';
import { formatPairs } from '../output/pairs.ts';
import { joined, type SafeText, type Text, text } from '../output/safe-text.ts';
import type { Terminal } from '../terminal.ts';
import type { RunArguments } from './arguments.ts';
import { runEnvironment } from './environment.ts';
import { type GivenVariables, givenVariables } from './given-variables.ts';
import { notStarted } from './not-started.ts';
import { defaultsNotes, notGivenNotes, type Project } from './project.ts';

export interface DryRunOptions {
  readonly args: RunArguments;
  readonly client: Pick<Client, 'previewRun'>;
  readonly environment: Environment;
  readonly childProxy: string;
  readonly bundledKeys: string;
  readonly project: Project | undefined;
  readonly defaults: RunDefaults;
}

/** Prints what the run would have. Opens none, starts nothing, and throws what the run would throw. */
export async function dryRun(
  { args, client, environment: parent, childProxy, bundledKeys, project, defaults }: DryRunOptions,
  opening: RunOpening,
  terminal: Terminal,
): Promise<void> {
  const preview = await client.previewRun(opening);
  const run = standInOf(preview);
  const { inheritsSecrets } = args;
  const given = await givenVariables(parent, run, { inheritsSecrets, values: opening.values, bundledKeys });
  const child = runEnvironment(parent, { ...run, ...given }, { childProxy }, process.platform);
  requireCommand(args.command, child.PATH);
  const document: DryRunDocument = {
    v: 1,
    command: basename(args.command),
    trusted: args.isTrusted,
    connections: preview.connections.map((key) => {
      const slash = key.indexOf('/');
      const provider = key.slice(0, slash);
      return {
        provider,
        connection: key.slice(slash + 1),
        from: chooserOf(provider, { args, project, defaults }),
      };
    }),
    not_given: preview.not_given ?? [],
    variables: variablesOf(given, parent, child),
    routes: preview.routes,
    sign_in_hosts: preview.sign_in_hosts,
    egress: 'open',
    sandbox: false,
    overrides: preview.overrides ?? null,
    outer_run: preview.outer_run ?? null,
    unapproved_hosts: preview.unapproved_hosts ?? {},
  };
  for (const note of [
    ...defaultsNotes(defaults, 'run in config.json'),
    ...(project === undefined ? [] : defaultsNotes(project.defaults, project.path)),
    ...(project === undefined ? [] : notGivenNotes(project.path, document.not_given)),
  ])
    terminal.note(note);
  if (terminal.json) terminal.document(document);
  else terminal.print(asText(document, terminal));
}

/** What chose the connection of a provider: options before a `.authsome.json`, and that before `config.json`. */
function chooserOf(
  provider: string,
  { args, project, defaults }: Pick<DryRunOptions, 'args' | 'project' | 'defaults'>,
): string {
  const named = [...args.providers.map((name) => name.split('/', 1)[0]), ...Object.keys(args.connections)];
  if ([...named, ...args.further.map((each) => each.provider)].includes(provider)) return 'options';
  if (project !== undefined && Object.hasOwn(project.defaults.connections ?? {}, provider))
    return project.path;
  return Object.hasOwn(defaults.connections ?? {}, provider) ? 'config.json' : 'default';
}

/** With stand-ins for what only an open run has. Of these, the names alone are shown. */
function standInOf({ variables, providers, routes: _routes, ...shared }: RunPreviewDocument): RunDocument {
  const standIn = 'run';
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, standIn]));
  const files = { ca_file: standIn, ca_bundle_file: standIn };
  return {
    ...shared,
    ...files,
    run_id: standIn,
    proxy_url: standIn,
    phantoms: named(variables),
    provider_phantoms: named(providers),
  };
}

function variablesOf(
  { phantoms }: GivenVariables,
  parent: Environment,
  child: Readonly<Record<string, string>>,
): DryRunDocument['variables'] {
  const set = Object.keys(child).filter(
    (name) => !Object.hasOwn(phantoms, name) && child[name] !== parent[name],
  );
  const removed = Object.keys(parent).filter(
    (name) => parent[name] !== undefined && child[name] === undefined,
  );
  return { phantoms: Object.keys(phantoms).sort(), set: set.sort(), removed: removed.sort() };
}

/** Throws `CommandNotFound` or `CommandNotExecutable`, as the start would. A command without a slash is looked up in PATH. */
function requireCommand(command: string, path = ''): void {
  // Windows has rules of its own for names without an extension.
  if (process.platform === 'win32') return;
  const files = command.includes('/')
    ? [command]
    : path.split(delimiter).map((folder) => join(folder, command));
  const faults = files.map(faultOf);
  if (faults.includes(undefined)) return;
  throw notStarted(command, { code: faults.includes('EACCES') ? 'EACCES' : 'ENOENT' });
}

function faultOf(file: string): 'ENOENT' | 'EACCES' | undefined {
  try {
    if (!statSync(file).isFile()) return 'EACCES';
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'EACCES' : 'ENOENT';
  }
}

function asText(document: DryRunDocument, { style }: Terminal): SafeText {
  const { command, connections, variables, routes, overrides, outer_run: outer } = document;
  const pairs = formatPairs(
    [
      ['command', command],
      [
        'connections',
        listed(connections.map(({ provider, connection, from }) => `${provider}/${connection} (${from})`)),
      ],
      ['phantoms in', listed(variables.phantoms)],
      ['also set', listed(variables.set)],
      ['not passed on', listed(variables.removed)],
      ['sign-ins at', listed(document.sign_in_hosts)],
      ['egress', 'open: any other host passes as a blind tunnel'],
      ['sandbox', 'none'],
      ...(document.trusted ? [['trusted', 'yes'] as const] : []),
      ...(outer === null ? [] : [['inside of', outer] as const]),
      ...(overrides === null ? [] : overridden(overrides)),
    ],
    style,
  );
  const lines = routes.map(
    ({ host, connection, placement, approved }) =>
      text`  ${host}  ${connection}  ${approved ? placement : 'refused: not approved for this host'}`,
  );
  const shown: readonly Text[] = lines.length === 0 ? ['Routes: none'] : ['Routes:', ...lines];
  return joined([pairs, text``, ...shown, text``, 'Nothing was started.'], '\n');
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function overridden({
  resolved_hosts: hosts,
  extra_roots: roots,
}: NonNullable<DryRunDocument['overrides']>): readonly (readonly [string, string])[] {
  return [
    ...(hosts.length === 0 ? [] : [['set by hand', `addresses of ${hosts.join(', ')}`] as const]),
    ...(roots === 0 ? [] : [['extra roots', String(roots)] as const]),
  ];
}
