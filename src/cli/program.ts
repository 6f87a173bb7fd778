import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Help } from 'commander';
import { AuthsomeError } from '../errors.ts';
import { loadSettings } from '../settings.ts';
import { closest } from '../suggestion.ts';
import { type CommandEntry, commandTable } from './command-table.ts';
import type { CommandContext, Outcome } from './context.ts';
import { showFailure, withTypedCommand } from './failure.ts';
import { takeGlobalFlags } from './global-flags.ts';
import { describeProgram, globalOptions } from './help-text.ts';
import type { CliOptions } from './options.ts';
import { processQuestions } from './questions.ts';
import { processTerminal } from './terminal.ts';
import { usageMessage } from './usage-message.ts';

/** The exit code of any command but `run`. */
export async function runProgram(options: CliOptions): Promise<number> {
  const { flags, rest } = takeGlobalFlags(options.args);
  const terminal = processTerminal(flags, options.environment);
  if (flags.version) {
    if (terminal.json) terminal.document({ v: 1, version: options.version });
    else terminal.print(options.version);
    return 0;
  }
  try {
    return await runCommandLine(createContext(options, terminal), rest);
  } catch (error) {
    return showFailure(terminal, withTypedCommand(error, options.args));
  }
}

/** The exit code of the command that `args`, freed of global flags, name. Throws what went wrong. */
async function runCommandLine(context: CommandContext, args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const finish = async (outcome: Promise<Outcome>): Promise<void> => {
    exitCode = (await outcome) ?? 0;
  };
  const [name] = args;
  const entry = name === undefined || name.startsWith('-') ? undefined : entryOf(name, context);
  if (entry === 'completion request') {
    const { answerCompletion } = await import('./completion.ts');
    return answerCompletion(context, args.slice(args[1] === '--' ? 2 : 1));
  }
  const program = createProgram(context);
  try {
    await (entry === undefined ? addSummaries(program) : addCommand(program, entry, context, finish));
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    throw usageError(error, program, entry === undefined ? [] : args);
  }
}

async function fullProgram(context: CommandContext): Promise<Command> {
  const program = createProgram(context);
  for (const entry of commandTable) await addCommand(program, entry, context, async () => {});
  return program;
}

function createProgram(context: CommandContext): Command {
  const program = new Command('authsome');
  program
    .helpCommand(false)
    .helpOption('-h, --help', 'show help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.terminal.data(text.replace(/\n$/, '')),
      // Usage errors are printed like all errors.
      writeErr: () => {},
    })
    .configureHelp({
      helpWidth: context.terminal.width ?? 100,
      // A switch is off by default; help does not need to say so.
      optionDescription: (option) =>
        option.defaultValue === false ? option.description : Help.prototype.optionDescription(option),
    });
  describeProgram(program);
  return program;
}

async function addCommand(
  program: Command,
  entry: CommandEntry,
  context: CommandContext,
  finish: (outcome: Promise<Outcome>) => Promise<void>,
): Promise<void> {
  const module = await entry.load();
  const command = program.command(entry.name).description(entry.summary);
  module.build(command, context, finish);
  if (command.commands.length > 0) command.helpCommand('help [command]', 'show help');
}

async function addSummaries(program: Command): Promise<void> {
  for (const { name, summary, group } of commandTable) {
    program.command(name).description(summary).helpGroup(`${group}:`);
  }
}

function entryOf(name: string, context: CommandContext): CommandEntry | 'completion request' {
  if (name === 'complete') return 'completion request';
  const entry = commandTable.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const near = closest(
    name,
    commandTable.map((candidate) => candidate.name),
  );
  context.terminal.detail(`commands: ${commandTable.map((candidate) => candidate.name).join(', ')}`);
  throw new AuthsomeError('Usage', `unknown command: ${name}`, {
    hint: near === undefined ? 'Run: authsome --help' : `Did you mean: authsome ${near}`,
  });
}

/** The error for a message of commander: what is wrong, then what was probably meant. */
function usageError(error: CommanderError, program: Command, args: readonly string[]): AuthsomeError {
  const path = commandsNamed(program, args);
  const command = path.at(-1) ?? program;
  const verbs = command.commands.map((sub) => sub.name());
  const words = path.map((named) => named.name());
  // Where a verb is missing, commander shows the help and throws its name.
  const first =
    error.code === 'commander.help'
      ? `${words.join(' ')} needs one of: ${verbs.join(', ')}`
      : usageMessage(error.message);
  const wrong = /^unknown (option|command): (.+)$/.exec(first);
  const candidates =
    wrong?.[1] === 'option'
      ? [...command.options, ...command.commands.flatMap((sub) => sub.options)]
          .flatMap((option) => option.long ?? [])
          .concat(globalOptions)
      : verbs;
  const near = wrong?.[2] === undefined ? undefined : closest(wrong[2], candidates);
  const help = `Run: ${['authsome', ...words, '--help'].join(' ')}`;
  return new AuthsomeError('Usage', first, {
    hint: near === undefined ? help : `Did you mean ${near}? ${help}`,
  });
}

/** The command that the first words name, the one below it that the next word names, and so on. */
function commandsNamed(program: Command, args: readonly string[]): readonly Command[] {
  const path: Command[] = [];
  for (const word of args) {
    const named = (path.at(-1) ?? program).commands.find((sub) => sub.name() === word);
    if (named === undefined) break;
    path.push(named);
  }
  return path;
}

function createContext(options: CliOptions, terminal: CommandContext['terminal']): CommandContext {
  const questions = processQuestions(terminal);
  const settings = once(() => loadSettings(options.environment));
  const daemon = once(async () => {
    const { daemonOptions } = await import('./connect.ts');
    return daemonOptions(options, settings(), { onNewDaemon: terminal.note, secret: questions?.secret });
  });
  const client = once(async () => {
    const { createClient } = await import('../client/index.ts');
    return createClient(await daemon());
  });
  const context: CommandContext = {
    terminal,
    questions,
    environment: options.environment,
    platform: process.platform,
    version: options.version,
    packageName: options.packageName,
    docs: fileURLToPath(new URL('../docs/', import.meta.url)),
    bundledKeys: fileURLToPath(new URL('provider-keys.json', import.meta.url)),
    bundledNames: fileURLToPath(new URL('provider-names.json', import.meta.url)),
    now: Date.now,
    settings,
    daemon,
    client,
    fullProgram: () => fullProgram(context),
  };
  return context;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
