import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AuthsomeError } from '../../errors.ts';
import { closest } from '../../suggestion.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';
import type { Style } from '../style.ts';

/** A page of the manual, or the help of a command; without a topic, what there is to read. */
export async function help(context: CommandContext, topic: string | undefined): Promise<void> {
  const { terminal } = context;
  const pages = await topicsIn(context.docs);
  if (topic === undefined) {
    if (terminal.json) terminal.document({ v: 1, topics: pages });
    else for (const page of pages) terminal.print(page);
    return;
  }
  const name = topic.toLowerCase();
  if (pages.includes(name)) {
    const text = await readFile(join(context.docs, `${name}.md`), 'utf8');
    if (terminal.json) terminal.document({ v: 1, topic: name, text });
    else terminal.print(formatPage(text, terminal.style));
    return;
  }
  const { commands } = await context.wholeProgram();
  const command = commands.find((candidate) => candidate.name() === name);
  if (command !== undefined) {
    command.outputHelp();
    return;
  }
  const near = closest(name, [...pages, ...commands.map((candidate) => candidate.name())]);
  throw new AuthsomeError('Usage', `there is no help on ${topic}`, {
    hint: near === undefined ? 'For all topics, run: authsome help' : `Did you mean: authsome help ${near}`,
  });
}

async function topicsIn(docs: string): Promise<readonly string[]> {
  const files = await readdir(docs).catch((): string[] => []);
  return files
    .filter((file) => file.endsWith('.md') && !['README.md', 'decisions.md'].includes(file))
    .map((file) => basename(file, '.md'))
    .sort();
}

/** Markdown as it is, with headings and code made to stand out where the terminal can. */
function formatPage(text: string, style: Style): string {
  return text
    .trimEnd()
    .replace(/^#{1,6} .*$/gm, (heading) => style.bold(heading))
    .replace(/`[^`\n]+`/g, (code) => style.cyan(code));
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('[topic]', 'a page of the manual, or a command')
    .action((topic: string | undefined) => finish(help(context, topic)));
  addExamples(command, [
    ['authsome help', 'all topics'],
    ['authsome help login', ''],
  ]);
};
