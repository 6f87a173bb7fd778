import { lexer, type Token, type Tokens } from 'marked';
import { manualText, type SafeText, safe } from '../output/safe-text.ts';
import { type Style, styleFor } from '../output/style.ts';
import { wrapWords } from '../output/wrap.ts';
import { wordsOf } from './inline.ts';
import { alignRows } from './rows.ts';

/** Pages of the manual that belong together, each with what it is about. */
export interface PageGroup {
  readonly title: string;
  readonly pages: readonly PageLine[];
}

interface PageLine {
  readonly name: string;
  readonly summary: string;
}

/**
 * The groups of the manual's index: under each heading the pages that are linked there, each with the text beside its link.
 * Pages that the index does not list come last.
 */
export function readContents(index: string, pages: readonly string[]): readonly PageGroup[] {
  const groups: { title: string; pages: PageLine[] }[] = [];
  for (const token of lexer(index)) {
    if (token.type === 'heading') groups.push({ title: plainText(token.tokens ?? []), pages: [] });
    for (const entry of entriesOf(token)) {
      const line = lineOf(entry, pages);
      if (line !== undefined) groups.at(-1)?.pages.push(line);
    }
  }
  const listed = new Set(groups.flatMap((group) => group.pages.map(({ name }) => name)));
  const others = pages.filter((name) => !listed.has(name)).map((name) => ({ name, summary: '' }));
  return [...groups, { title: 'More', pages: others }].filter((group) => group.pages.length > 0);
}

/** The groups with a line a page, their columns aligned across all groups. */
export function formatContents(
  groups: readonly PageGroup[],
  { width, style }: { readonly width: number; readonly style: Style },
): SafeText {
  const indent = '  ';
  const lines = groups.flatMap((group) => group.pages);
  const rows = lines.map(({ name, summary }) => [[style.cyan(safe(name)).written], summary.split(' ')]);
  const aligned = alignRows(rows, width - indent.length);
  const shown = new Map(
    lines.map(({ name, summary }, row) => [
      name,
      aligned?.[row] ?? [
        style.cyan(safe(name)).written,
        ...wrapWords(summary.split(' '), width - 4).map((line) => indent + line),
      ],
    ]),
  );
  const shownGroups = groups.map(({ title, pages }) =>
    [
      style.bold(safe(`${title}:`)).written,
      ...pages.flatMap(({ name }) => (shown.get(name) ?? []).map((line) => indent + line)),
    ].join('\n'),
  );
  return manualText(shownGroups.join('\n\n'));
}

/** What may stand for a page: a row of a table, or an item of a list. */
function entriesOf(token: Token): readonly (readonly Token[])[] {
  if (token.type === 'table') {
    return (token as Tokens.Table).rows.map((row) => row.flatMap((cell) => [...cell.tokens, space]));
  }
  if (token.type !== 'list') return [];
  return (token as Tokens.List).items.map((item) =>
    item.tokens.flatMap((block) => ('tokens' in block ? (block.tokens ?? []) : [])),
  );
}

const space: Token = { type: 'text', raw: ' ', text: ' ' };

function lineOf(entry: readonly Token[], pages: readonly string[]): PageLine | undefined {
  const link = entry.find((token): token is Tokens.Link => token.type === 'link');
  const name = link === undefined ? undefined : pages.find((page) => link.href === `${page}.md`);
  if (name === undefined) return undefined;
  const rest = plainText(entry.filter((token) => token !== link));
  return { name, summary: rest.replace(/^[:–—-]\s*/, '') };
}

function plainText(tokens: readonly Token[]): string {
  return wordsOf(tokens, { style: styleFor(false), pages: [] }).join(' ');
}
