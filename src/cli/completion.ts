import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Command as Completed, RootCommand, script } from '@bomb.sh/tab';
import type { Command, Option } from 'commander';
import type { CommandContext } from './context.ts';

/**
 * Passes the words on unmodified: it evaluates nothing that was typed, and needs only bash. Where authsome completes
 * nothing, as after `run` and `register`, bash completes file names. The script can be sourced twice.
 */
const bashScript = `# bash completion for authsome
_authsome() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    [[ $line == :* ]] || COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(authsome complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _authsome authsome`;

/** Prints the script with which a shell asks authsome at every TAB. */
export function printScript({ terminal }: CommandContext, shell: string): void {
  if (shell === 'bash') terminal.data(bashScript);
  else script(shell, 'authsome', 'authsome');
}

/**
 * Prints the completions of the last word, and exits with 0. Reads directories only: a TAB must neither start a daemon nor
 * wait for one.
 */
export async function answerCompletion(context: CommandContext, words: readonly string[]): Promise<number> {
  const [program, providers] = await Promise.all([context.fullProgram(), providerNames(context)]);
  const root = new RootCommand();
  addOptions(root, program.options, providers);
  for (const command of program.commands) addCommand(root, command, '', providers);
  root.parse([...words]);
  return 0;
}

/** Names of bundled and registered providers, without reading a definition. */
async function providerNames(context: CommandContext): Promise<readonly string[]> {
  const [bundled, own] = await Promise.all([
    readFile(context.bundledNames, 'utf8').then(
      (text) => JSON.parse(text) as readonly string[],
      () => [],
    ),
    readdir(join(context.settings().home, 'providers')).catch((): string[] => []),
  ]);
  const ownNames = own.filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'));
  // A file may have any name, and a shell shows what it gets.
  return [...new Set([...bundled, ...ownNames])].filter((name) => /^[\w.-]+$/.test(name)).sort();
}

function addCommand(root: RootCommand, command: Command, prefix: string, providers: readonly string[]): void {
  const path = `${prefix}${command.name()}`;
  const completed = root.command(path, command.description());
  addOptions(completed, command.options, providers);
  for (const argument of command.registeredArguments) {
    const values = argument.argChoices ?? (argument.name() === 'provider' ? providers : []);
    completed.argument(argument.name(), (offer) => offerAll(offer, values), argument.variadic);
  }
  for (const sub of command.commands) addCommand(root, sub, `${path} `, providers);
}

function addOptions(completed: Completed, options: readonly Option[], providers: readonly string[]): void {
  for (const option of options) {
    const name = option.long?.replace(/^--/, '');
    const short = option.short?.replace(/^-/, '');
    if (name === undefined || option.hidden) continue;
    if (option.required || option.optional) {
      const values = option.argChoices ?? (name === 'provider' ? providers : []);
      completed.option(name, option.description, (offer) => offerAll(offer, values), short);
    } else if (short === undefined) {
      completed.option(name, option.description);
    } else {
      completed.option(name, option.description, short);
    }
  }
}

function offerAll(offer: (value: string, description: string) => void, values: readonly string[]): void {
  for (const value of values) offer(value, '');
}
