import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { globalOptions } from '../src/cli/help-text.ts';
import { errorCodes, exitCodeOf, statusOf, topicOf } from '../src/errors.ts';
import { flowNames } from '../src/providers/provider.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const markdownIn = (directory: string) =>
  readdirSync(join(root, directory)).filter((name) => name.endsWith('.md'));
/** What users read, and what is published. package.json names the rest of docs/, which is for contributors. */
const pages = markdownIn('docs').filter(
  (name) => !JSON.parse(read('package.json')).files.includes(`!docs/${name}`),
);
const documents = [
  ...['docs', 'docs/project'].flatMap((folder) => markdownIn(folder).map((name) => `${folder}/${name}`)),
  'docs/llms.txt',
  ...markdownIn('.'),
];

/** An address, a path or a name that cannot be broken, alone on its line. */
const isOneWord = /^\s*(?:(?:[-*>]|\d+\.|#+) )?\S+$/;

function sources(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts') && !file.name.endsWith('.test.ts'))
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
}

describe('the manual', () => {
  it('has every error code with its exit code and status, and no other', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)`\s*\| (\d+)\s*\| (\d+)\s*\|/gm)];
    const documented = rows.map(([, code, exit, status]) => [code, Number(exit), Number(status)]);
    const actual = errorCodes.map((code) => [code, exitCodeOf(code), statusOf(code)]);
    expect(documented.toSorted()).toEqual(actual.toSorted());
  });

  it('explains every exit code that an error can have', () => {
    const explained = new Set(
      [...read('docs/errors.md').matchAll(/^\| (\d+)\s*\|/gm)].map(([, exit]) => Number(exit)),
    );
    const missing = errorCodes.map(exitCodeOf).filter((exit) => exit < 126 && !explained.has(exit));
    expect(missing).toEqual([]);
  });

  it('has every page that a hint names', () => {
    const named = sources(join(root, 'src')).flatMap((text) =>
      [...text.matchAll(/authsome help ([a-z][a-z-]+)/g)].map(([, topic]) => `${topic}.md`),
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !pages.includes(name))).toEqual([]);
  });

  it('names no command and no option that is not there', () => {
    const commands = join(root, 'src/cli/commands');
    const folders = [commands, join(commands, 'machine')];
    const fileOf = (name: string) =>
      folders.map((folder) => join(folder, `${name}.ts`)).find(existsSync) ?? '';
    const texts = [
      ...sources(join(root, 'src')),
      ...documents.filter((name) => name !== 'CHANGELOG.md').map(read),
    ];
    // Up to the `--` of a run, what follows which is another program's.
    const lines = texts.flatMap((text) =>
      [...text.matchAll(/\bauthsome ([a-z][a-z-]+)((?: (?!-- )[^\s`'"]+)*)/g)].map(
        ([line, name = '', rest = '']) => ({
          line,
          file: fileOf(name),
          options: rest.match(/(?<= )--?[a-z][a-z-]*/g) ?? [],
        }),
      ),
    );
    const withOptions = lines.filter(({ options }) => options.length > 0);
    expect(withOptions.length).toBeGreaterThan(50);
    const wrong = withOptions.filter(({ file, options }) => {
      const code = existsSync(file) ? readFileSync(file, 'utf8') : '';
      const isThere = (option: string) => globalOptions.includes(option) || code.includes(option);
      return code === '' || !options.every(isThere);
    });
    expect(wrong.map(({ line }) => line)).toEqual([]);
  });

  it('has every page that an error code names', () => {
    const topics = errorCodes.flatMap((code) => topicOf(code) ?? []);
    expect(topics.length).toBeGreaterThan(0);
    expect(topics.filter((topic) => !pages.includes(`${topic}.md`))).toEqual([]);
  });

  it('names every field that the definition parser reads, and every flow', () => {
    const schema = read('docs/provider-schema.md');
    const parsers = readdirSync(join(root, 'src/providers/parse'))
      .filter((name) => /^(definition|api-key|capture|oauth|inject|export|placements)\.ts$/.test(name))
      .map((name) => read(`src/providers/parse/${name}`))
      .join('\n');
    const fields = [
      ...parsers.matchAll(/\.(?:text|texts|url|page|flag|oneOf|object|params|has)\(\s*'(\w+)'/g),
    ].map(([, field]) => field ?? '');
    expect(fields.length).toBeGreaterThan(20);
    const words = new Set(schema.match(/[a-z][a-z_]*/g));
    expect([...new Set(fields), ...flowNames].filter((word) => !words.has(word))).toEqual([]);
  });

  it.each(documents)('leads nowhere that does not exist: %s', (document) => {
    const folder = resolve(root, document, '..');
    const links = [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].flatMap(
      ([, link]) => link ?? [],
    );
    const broken = links.filter((link) => !/^https?:/.test(link) && !existsSync(resolve(folder, link)));
    expect(broken).toEqual([]);
  });

  it.each(documents)('has no line of a document wider than 100 columns: %s', (document) => {
    const wide = read(document)
      .split('\n')
      .filter((line) => [...line].length > 100 && !isOneWord.test(line));
    expect(wide).toEqual([]);
  });

  it('lists every page in its index and in llms.txt, with the sentence that the page starts with', () => {
    const lines = pages
      .filter((name) => name !== 'README.md')
      .map((name) => {
        const [title = '', empty, sentence = ''] = read(`docs/${name}`).split('\n');
        expect([name, title.startsWith('# '), empty, sentence.endsWith('.')]).toEqual([name, true, '', true]);
        return `- [${name.replace('.md', '')}](${name}): ${sentence}`;
      });
    const listedIn = (file: string) => read(file).match(/^- .*$/gm) ?? [];
    expect(listedIn('docs/README.md').toSorted()).toEqual(lines.toSorted());
    expect(listedIn('docs/llms.txt')).toEqual(listedIn('docs/README.md'));
  });

  it('has a line for each dependency', () => {
    const { devDependencies, optionalDependencies, dependencies = {} } = JSON.parse(read('package.json'));
    const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
    const architecture = read('ARCHITECTURE.md');
    const named = [...architecture.matchAll(/`((?:@[\w.-]+\/)?[\w.-]+)`/g)].map(([, name]) => name);
    expect(names.filter((name) => !named.includes(name))).toEqual([]);
  });
});
