import type { CommandModule } from '../command-table.ts';
import { addExamples } from '../help-text.ts';

/** Help and completion only: `run` itself never comes this way (see `run/command.ts`). */
export const build: CommandModule['build'] = (command) => {
  // First: commander throws at `passThroughOptions` without it.
  command.parent?.enablePositionalOptions();
  command
    .usage('[options] [--] <command> [args…]')
    .argument('[command...]', 'what to run, with its own arguments')
    .option('-p, --provider <provider[/connection]>', 'use only this one; may be repeated')
    .option('--connection <provider=name>', 'use this connection of a provider; may be repeated')
    .passThroughOptions()
    .allowUnknownOption();
  addExamples(command, [
    ['authsome run -- claude', 'with every connection’s default'],
    ['authsome run --provider github -- gh pr list', 'with this one alone'],
    ['authsome run --connection github=work -- git push', ''],
  ]);
};
