import type { Command } from 'commander';

/** What may stand before or after any command. */
export const globalOptions: readonly string[] = [
  '--json',
  '--quiet',
  '--verbose',
  '--no-color',
  '--log-file',
  '--version',
  '--help',
];

const globalText = `
Global options:
  --json             print one JSON document to stdout
  -q, --quiet        say nothing but data and errors
  -v, --verbose      say more
  --no-color         no colours (NO_COLOR does the same)
  --log-file <file>  write what is said to a file as well
  -V, --version      print the version
  -h, --help         show help`;

export function describeProgram(program: Command): void {
  program
    .usage('[options] <command>')
    .description('Your agents use your accounts without ever holding a credential.')
    .addHelpText('after', `${globalText}\n${examplesText(programExamples)}`);
}

const programExamples = [
  ['authsome login github', 'sign in once'],
  ['authsome run -- claude', 'then run any agent, script or tool'],
  ['authsome list', 'see what you are signed in to'],
  ['authsome help headless', 'read a page of the manual'],
] as const;

/** Ends a command's help with what people type. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  return command.addHelpText(
    'after',
    `${examplesText(examples)}\n\nGlobal options: ${globalOptions.join(' ')}`,
  );
}

function examplesText(examples: readonly (readonly [string, string])[]): string {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) =>
    `  $ ${line.padEnd(width)}  ${what === '' ? '' : `# ${what}`}`.trimEnd(),
  );
  return `\nExamples:\n${lines.join('\n')}`;
}
