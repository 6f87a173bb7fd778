import type { Command } from 'commander';

/** Options that are allowed before or after any command. */
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
  -q, --quiet        print only data and errors
  -v, --verbose      print more
  --no-color         no colors (NO_COLOR does the same)
  --log-file <file>  also write messages to a file
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
  ['authsome list', 'show your connections'],
  ['authsome help headless', 'read a page of the manual'],
] as const;

/** Adds examples to the end of a command's help. */
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
