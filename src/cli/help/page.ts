import { lexer, type Token, type Tokens } from 'marked';
import { manualText, type SafeText, safe } from '../output/safe-text.ts';
import { wrapWords } from '../output/wrap.ts';
import { type InlineOptions, wordsOf } from './inline.ts';
import { alignRows, type Cell } from './rows.ts';

export interface PageOptions extends InlineOptions {
  /** Columns that no line exceeds, except code and words that are longer by themselves. */
  readonly width: number;
}

const indent = '  ';

/** A page of the manual as plain lines: headings at the margin, everything else indented, no Markdown. */
export function formatPage(markdown: string, options: PageOptions): SafeText {
  const lines: string[] = [];
  const inner = { ...options, width: options.width - indent.length };
  let before: Token | undefined;
  for (const token of lexer(markdown)) {
    const block =
      token.type === 'heading' ? headingLines(token, options) : indented(blockLines(token, inner));
    if (block.length === 0) continue;
    const isUnderItsHeading = before?.type === 'heading' && before.depth > 1;
    if (before !== undefined && !isUnderItsHeading) lines.push('');
    lines.push(...block);
    before = token;
  }
  return manualText(lines.join('\n'));
}

function headingLines(token: Token, options: PageOptions): readonly string[] {
  return wrapWords(wordsOf(tokensOf(token), options, options.style.bold), options.width);
}

function blockLines(token: Token, options: PageOptions): readonly string[] {
  switch (token.type) {
    case 'space':
    case 'hr':
    case 'def':
      return [];
    case 'code':
      return indented(token.text.split('\n'));
    case 'list':
      return listLines(token as Tokens.List, options);
    case 'table':
      return tableLines(token as Tokens.Table, options);
    case 'blockquote':
      return indented(blocksLines(tokensOf(token), narrower(options, indent.length)));
    case 'html':
      return /^<!--/.test(token.raw) ? [] : token.raw.trimEnd().split('\n');
    default:
      return wrapWords(wordsOf(tokensOf(token), options), options.width);
  }
}

/** Consecutive blocks, as in an item of a list, with an empty line between them where the page has one. */
function blocksLines(tokens: readonly Token[], options: PageOptions): readonly string[] {
  return tokens.flatMap((token, index) =>
    token.type === 'space' && index < tokens.length - 1 ? [''] : blockLines(token, options),
  );
}

function listLines(list: Tokens.List, options: PageOptions): readonly string[] {
  return list.items.flatMap((item, index) => {
    const bullet = list.ordered ? `${Number(list.start) + index}. ` : '- ';
    const hang = ' '.repeat(bullet.length);
    const lines = blocksLines(item.tokens, narrower(options, bullet.length)).map(
      (line, at) => (at === 0 ? bullet : hang) + line,
    );
    return list.loose && index > 0 ? ['', ...lines] : lines;
  });
}

function tableLines(table: Tokens.Table, options: PageOptions): readonly string[] {
  const { dim } = options.style;
  const cells = (row: readonly Tokens.TableCell[], mark?: (text: SafeText) => SafeText): readonly Cell[] =>
    row.map((cell) => wordsOf(cell.tokens, options, mark));
  const rows = table.rows.map((row) => cells(row));
  const hasHead = table.header.some((cell) => cell.text !== '');
  const head = cells(table.header, ({ written }) => dim(safe(written.toUpperCase())));
  const aligned = alignRows(hasHead ? [head, ...rows] : rows, options.width);
  if (aligned !== undefined) return aligned.flat();
  const labels = cells(table.header, dim).map((words) =>
    words.length === 0 ? [] : [...words.slice(0, -1), `${words.at(-1)}${dim(safe(':')).written}`],
  );
  return rows.flatMap((row) => recordLines(row, labels, options.width));
}

/** A row as a record: a line for each cell with the name of its column, those after the first indented. */
function recordLines(row: readonly Cell[], labels: readonly Cell[], width: number): readonly string[] {
  return row.flatMap((cell, column) => {
    if (cell.length === 0) return [];
    const margin = column === 0 ? '' : indent;
    const [first = '', ...rest] = wrapWords([...(labels[column] ?? []), ...cell], width - 2 * indent.length);
    return [margin + first, ...rest.map((line) => indent + indent + line)];
  });
}

function narrower(options: PageOptions, by: number): PageOptions {
  return { ...options, width: options.width - by };
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? '' : indent + line));
}

function tokensOf(token: Token): readonly Token[] {
  return 'tokens' in token && token.tokens !== undefined ? token.tokens : [token];
}
