import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { AuthsomeError } from '../../errors.ts';
import { closest } from '../../suggestion.ts';
import type { CommandModule } from '../command-table.ts';
import type { CommandContext } from '../context.ts';
import { addExamples } from '../help-text.ts';

/** Prints a page of the manual, or the help of a command; without a topic, the manual's contents. */
export async function help(context: CommandContext, words: readonly string[]): Promise<void> {
  const pages = await pagesIn(context.docs);
  if (words.length === 0) {
    await printContents(context, pages);
    return;
  }
  const name = words.join('-').toLowerCase();
  if (pages.includes(name)) {
    await printPage(context, name, pages);
    return;
  }
  const { commands } = await context.fullProgram();
  const [first = '', ...verbs] = words.map((word) => word.toLowerCase());
  const command = commands.find((candidate) => candidate.name() === first);
  if (command !== undefined && hasVerbs(command, verbs)) {
    // The page of a command covers its verbs.
    if (pages.includes(first)) await printPage(context, first, pages);
    else command.outputHelp();
    return;
  }
  const near = closest(name, [...pages, ...commands.map((candidate) => candidate.name())]);
  throw new AuthsomeError('Usage', `no help for "${words.join(' ')}"`, {
    hint: near === undefined ? 'See all pages: authsome help' : `Did you mean: authsome help ${near}`,
  });
}

/** Whether each of these names a command below the one before it. */
function hasVerbs(command: Command, verbs: readonly string[]): boolean {
  const [verb, ...rest] = verbs;
  if (verb === undefined) return true;
  const named = command.commands.find((candidate) => candidate.name() === verb);
  return named !== undefined && hasVerbs(named, rest);
}

async function printContents({ terminal, docs }: CommandContext, pages: readonly string[]): Promise<void> {
  if (terminal.json) {
    terminal.document({ v: 1, topics: pages });
    return;
  }
  const [{ formatContents, readContents }, index] = await Promise.all([
    import('../help/index.ts'),
    indexIn(docs),
  ]);
  const layout = { width: pageWidth(terminal.width), style: terminal.style };
  terminal.print(formatContents(readContents(index, pages), layout));
  terminal.print('');
  terminal.print('Read a page: authsome help <page>');
}

async function printPage(
  { terminal, docs }: CommandContext,
  name: string,
  pages: readonly string[],
): Promise<void> {
  const text = await readFile(join(docs, `${name}.md`), 'utf8');
  if (terminal.json) {
    terminal.document({ v: 1, topic: name, text });
    return;
  }
  const { formatPage } = await import('../help/index.ts');
  terminal.print(formatPage(text, { width: pageWidth(terminal.width), style: terminal.style, pages }));
}

/** Longer lines than 100 columns are hard to follow; a pipe has no width of its own. */
function pageWidth(columns: number | undefined): number {
  return Math.max(20, Math.min(columns ?? 80, 100));
}

/** The pages that the manual's index links. What else is in its folder is for contributors. */
async function pagesIn(docs: string): Promise<readonly string[]> {
  const [files, index] = await Promise.all([readdir(docs).catch((): string[] => []), indexIn(docs)]);
  return files
    .filter((file) => file.endsWith('.md') && index.includes(`](${file})`))
    .map((file) => basename(file, '.md'))
    .sort();
}

function indexIn(docs: string): Promise<string> {
  return readFile(join(docs, 'README.md'), 'utf8').catch(() => '');
}

export const build: CommandModule['build'] = (command, context, finish) => {
  command
    .argument('[topic...]', 'a page of the manual, or a command')
    .action((words: readonly string[]) => finish(help(context, words)));
  addExamples(command, [
    ['authsome help', 'list all pages'],
    ['authsome help login', ''],
    ['authsome help daemon status', ''],
  ]);
};
