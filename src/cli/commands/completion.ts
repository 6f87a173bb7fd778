import { Argument } from 'commander';
import type { CommandModule } from '../command-table.ts';
import { addExamples } from '../help-text.ts';

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .addArgument(new Argument('<shell>', 'the shell to complete in').choices(['bash', 'zsh', 'fish']))
    .action((shell: string) =>
      finish(import('../completion.ts').then(({ printScript }) => printScript(context, shell))),
    );
  addExamples(command, [
    ['source <(authsome completion bash)', 'in ~/.bashrc'],
    ['source <(authsome completion zsh)', 'in ~/.zshrc'],
    ['authsome completion fish > ~/.config/fish/completions/authsome.fish', ''],
  ]);
};
