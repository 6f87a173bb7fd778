import { writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunLease, RunOpening } from '../../client/index.ts';
import { AuthsomeError } from '../../errors.ts';
import { loadSettings, type RunDefaults } from '../../settings.ts';
import { connect } from '../connect.ts';
import type { GlobalFlags } from '../global-flags.ts';
import type { CliOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { type RunArguments, readRunArguments } from './arguments.ts';
import { caFilesOf, runEnvironment } from './environment.ts';
import { givenVariables } from './given-variables.ts';
import { endNote, startNotes } from './notes.ts';
import type { Project } from './project.ts';
import { type OpenProjectFile, openProjectFile } from './project-file.ts';
import { suspiciousValues } from './suspicious.ts';

/** Beside the bundled program: built from `child-proxy.cts`, and by `scripts/provider-keys.mjs`. */
const directory = dirname(fileURLToPath(import.meta.url));
const childProxy = join(directory, 'child-proxy.cjs');
const bundledKeys = join(directory, 'provider-keys.json');

/** The exit code of the child, or `help` when that was asked for instead. */
export async function runCommand(
  options: CliOptions & { readonly flags: GlobalFlags },
): Promise<number | 'help'> {
  const args = readRunArguments(options.args, options.flags);
  if (args.flags.help) return 'help';
  if (args.command === '') {
    throw new AuthsomeError('Usage', 'run needs a command to run', {
      hint: 'For example: authsome run -- claude',
    });
  }
  // With a log file: refuses one that cannot be written before anything is started.
  const terminal = args.flags.logFile === undefined ? undefined : await terminalOf(options, args);
  const settings = loadSettings(options.environment);
  const { run: defaults } = settings;
  if (defaults instanceof AuthsomeError) throw defaults;
  const client = connect(options, settings, (text) => void noteBesideChild(text, terminal, args));
  const { inheritsSecrets } = args;
  const values = inheritsSecrets ? new Map<string, string>() : suspiciousValues(options.environment);
  const project = await projectOf(options.environment);
  if (args.isDryRun) {
    const { dryRun } = await import('./dry-run.ts');
    const { environment } = options;
    const output = terminal ?? (await terminalOf(options, args));
    const dry = { args, client, environment, childProxy, bundledKeys, project, defaults };
    await dryRun(dry, runOpening(args, environment, { values, project, defaults }), output);
    return 0;
  }
  const opening = client.openRun(runOpening(args, options.environment, { values, project, defaults }));
  const starter = loadChildModule();
  const lease = await opening;
  try {
    const parent = options.environment;
    const given = await givenVariables(parent, lease.run, { inheritsSecrets, values, bundledKeys });
    const environment = runEnvironment(parent, { ...lease.run, ...given }, { childProxy }, process.platform);
    const { runChild } = await starter;
    for (const note of await fileNotes(defaults, project, lease.run)) {
      await noteBesideChild(note, terminal, args);
    }
    for (const note of await startNotes(parent, lease.run, given, args)) {
      await noteBesideChild(note, terminal, args);
    }
    const code = await runChild(args.command, args.commandArguments, environment, whenStopped(lease));
    // Its answer comes after all that the daemon has said of the run.
    if (args.isStrict && !(await hasEnded(lease))) await client.whoami().catch(() => undefined);
    // What the daemon sent before the command ended has arrived, but may not have been read.
    await new Promise((resolve) => setImmediate(resolve));
    const reason = lease.stopped();
    const happened = endNote(lease.notices());
    if (happened !== undefined) await noteBesideChild(happened, terminal, args);
    if (reason !== undefined) {
      throw new AuthsomeError('PhantomMisplaced', `the run was ended (--strict): ${reason}`);
    }
    if (await hasEnded(lease))
      (terminal ?? (await terminalOf(options, args))).note(endedBefore(args.command));
    return code;
  } finally {
    lease.close();
  }
}

/**
 * The module that starts the child, loaded while the daemon opens the run. Not before the event loop has turned once,
 * so that the request is sent first.
 */
function loadChildModule(): Promise<typeof import('./child.ts')> {
  return new Promise((resolve) => setImmediate(() => resolve(import('./child.ts'))));
}

/** What the nearest `.authsome.json` says. No module is loaded for those who have none. */
async function projectOf({ HOME = '' }: CliOptions['environment']): Promise<Project | undefined> {
  let found: OpenProjectFile | undefined;
  try {
    found = openProjectFile(process.cwd(), HOME);
  } catch (error) {
    // The working directory is gone. Programs can run there all the same.
    if ((error as NodeJS.ErrnoException).syscall === 'uv_cwd') return undefined;
    throw (await import('./project.ts')).notOpened(error);
  }
  if (found === undefined) return undefined;
  return (await import('./project.ts')).readProject(found, process.getuid?.());
}

/** What a person should know of `run` in `config.json` and of a `.authsome.json`. Throws where that did not count. */
async function fileNotes(
  defaults: RunDefaults,
  project: Project | undefined,
  { not_given: notGiven }: { readonly not_given?: readonly string[] },
): Promise<readonly string[]> {
  const hasNothingToSay = defaults.withoutEffect.length + defaults.unknown.length === 0;
  if (project === undefined && hasNothingToSay) return [];
  const { defaultsNotes, notGivenNotes } = await import('./project.ts');
  const own = defaultsNotes(defaults, 'run in config.json');
  if (project === undefined) return own;
  if (project.defaults.connections !== undefined && notGiven === undefined) {
    throw new AuthsomeError('DaemonUnavailable', `the daemon is too old to narrow a run to ${project.path}`, {
      hint: 'Update it, or run the command where no such file is above.',
    });
  }
  return [
    ...own,
    ...defaultsNotes(project.defaults, project.path),
    ...notGivenNotes(project.path, notGiven ?? []),
  ];
}

function runOpening(
  args: RunArguments,
  environment: CliOptions['environment'],
  {
    values,
    project,
    defaults,
  }: {
    readonly values: RunOpening['values'];
    readonly project: Project | undefined;
    readonly defaults: RunDefaults;
  },
): RunOpening {
  const listed = project?.defaults.connections;
  return {
    ...(defaults.connections === undefined ? {} : { defaults: defaults.connections }),
    ...(listed === undefined ? {} : { narrowed_to: listed }),
    providers: args.providers,
    connections: args.connections,
    ...(args.further.length === 0 ? {} : { further: args.further }),
    ...(args.isTrusted ? { trusted: true } : {}),
    ...(args.isStrict ? { strict: true } : {}),
    ...(args.inheritsSecrets ? { inherit_secrets: true } : {}),
    command: basename(args.command),
    ca_files: caFilesOf(environment),
    values,
  };
}

/**
 * Without a log file, straight to the descriptor: a stream of this process would make a pipe that the child shares
 * non-blocking.
 */
async function noteBesideChild(
  text: string,
  terminal: Terminal | undefined,
  { flags }: RunArguments,
): Promise<void> {
  if (terminal !== undefined) {
    terminal.note(text);
    return;
  }
  if (flags.quiet) return;
  // Most notes have nothing to escape, and no command should wait for the module.
  const written = /^[\x20-\x7e]*$/.test(text)
    ? text
    : (await import('../output/safe-text.ts')).safe(text).written;
  try {
    writeSync(2, `${written}\n`);
  } catch {
    // Nobody reads it: no reason to keep the command from running.
  }
}

async function terminalOf({ environment }: CliOptions, { flags }: RunArguments): Promise<Terminal> {
  const { processTerminal } = await import('../terminal.ts');
  return processTerminal(flags, environment);
}

/** Resolves once the daemon has ended the run for what happened in it. */
function whenStopped(lease: RunLease): Promise<void> {
  return new Promise((resolve) => {
    void lease.ended.then(() => {
      if (lease.stopped() !== undefined) resolve();
    });
  });
}

async function hasEnded(lease: RunLease): Promise<boolean> {
  const isGoing = Symbol('going');
  return (await Promise.race([lease.ended, isGoing])) !== isGoing;
}

/** Printed after the child has ended: it explains what the child could only report as a dead proxy. */
function endedBefore(command: string): string {
  return `authsome: the daemon ended before ${basename(command)} did, so its later requests failed. See: authsome daemon logs`;
}
