import type { CommandModule } from '../command-table.ts';
import { addExamples } from '../help-text.ts';

/** For help and completion only. `run` itself does not use it (see `run/command.ts`). */
export const build: CommandModule['build'] = (command) => {
  // First: commander throws at `passThroughOptions` without it.
  command.parent?.enablePositionalOptions();
  command
    .usage('[options] [--] <command> [args…]')
    .argument('[command...]', 'the command to run, with its own arguments')
    .option('-p, --provider <provider[/connection]>', 'use only this provider; may be repeated')
    .option(
      '--connection <provider=name[:variable]>',
      'use this connection of a provider; a variable gets the phantom of a second one; may be repeated',
    )
    .option(
      '--trusted',
      'let the command do what is refused inside a run: reveal secrets, replace connections, …',
    )
    .option('--strict', 'end the run when a phantom is found where it does not belong (exit code 12)')
    .option('--inherit-secrets', 'give the command the secrets of your environment as they are')
    .option('--dry-run', 'say what the command would get, and start nothing')
    .passThroughOptions()
    .allowUnknownOption();
  addExamples(command, [
    ['authsome run -- claude', "with each provider's default connection"],
    ['authsome run --provider github -- gh pr list', 'with this provider only'],
    ['authsome run --connection github=work -- git push', ''],
    ['authsome run -p github --connection github=bot:GH_BOT_TOKEN -- claude', 'with two accounts'],
    ['authsome run --dry-run -- claude', 'what it would get: connections, variables, routes'],
    ['authsome run --trusted -- ./rotate-keys.sh', 'a script of your own, which may use export'],
  ]);
};
