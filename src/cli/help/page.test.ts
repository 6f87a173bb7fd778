import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainText } from '../output/safe-text.ts';
import { styleFor } from '../output/style.ts';
import { textWidth } from '../output/text-width.ts';
import { formatPage } from './page.ts';

const docs = resolve(import.meta.dirname, '../../../docs');
const pages = readdirSync(docs)
  .filter((file) => file.endsWith('.md') && file !== 'README.md')
  .map((file) => file.slice(0, -'.md'.length));
const textOf = (page: string) => readFileSync(join(docs, `${page}.md`), 'utf8');
const codeIn = (text: string) =>
  [...text.matchAll(/^ *```.*\n([\s\S]*?)^ *```/gm)].map(([, code = '']) => code);
const trimmed = (text: string) => text.split('\n').map((line) => line.trim());

function format(markdown: string, width = 80, color = false): string {
  return formatPage(markdown, { width, style: styleFor(color), pages: ['run', 'login'] }).written;
}

/** How often each word stands in `text`, whatever is between words. */
function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu))
    counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

describe('a page of the manual in a terminal', () => {
  it('has headings at the margin, and indents what is below them', () => {
    expect(format('# `authsome run`\n\nRuns.\n\n## What it sees\n\nMuch.\n')).toBe(
      'authsome run\n\n  Runs.\n\nWhat it sees\n  Much.',
    );
  });

  it('wraps paragraphs and items between words', () => {
    expect(format('One two three four five\nsix.\n\n- seven eight nine ten\n  eleven\n- twelve\n', 20)).toBe(
      '  One two three four\n  five six.\n\n  - seven eight nine\n    ten eleven\n  - twelve',
    );
  });

  it('numbers an ordered list, and indents a list within a list', () => {
    expect(format('3. a\n4. b\n   - c\n')).toBe('  3. a\n  4. b\n     - c');
  });

  it('shows code unmodified, even if it is too wide', () => {
    const code = `if (x)  {   ${'y'.repeat(40)} `;
    expect(format(`\`\`\`js\n${code}\n\n| # * \`a\`\n\`\`\`\n`, 20)).toBe(`    ${code}\n\n    | # * \`a\``);
  });

  it('removes the marks of code and emphasis', () => {
    expect(format('Use `a  b`, **not** *c*: 1\\*2.')).toBe('  Use a b, not c: 1*2.');
  });

  it('styles each of their words separately where there is color', () => {
    expect(format('## A `b c`\n\n**d**.', 80, true)).toBe(
      '\u001b[1mA\u001b[22m \u001b[36m\u001b[1mb\u001b[22m\u001b[39m \u001b[36m\u001b[1mc\u001b[22m\u001b[39m\n  \u001b[1md\u001b[22m.',
    );
  });

  it.each([
    ['[RFC](https://rfc.test/1)', 'RFC (https://rfc.test/1)'],
    ['<https://rfc.test/1>', 'https://rfc.test/1'],
    ['[`authsome run`](run.md)', 'authsome run (authsome help run)'],
    ['[signing in](login.md#device)', 'signing in (authsome help login)'],
    ['[security](../SECURITY.md)', 'security'],
    ['[below](#flows)', 'below'],
  ])('shows the link %s with what leads there', (link, shown) => {
    expect(format(link)).toBe(`  ${shown}`);
  });

  const table =
    '| code | when |\n| --- | --- |\n| `A` | one two three four five six |\n| `B\\|C` | seven |\n';

  it('fits a table to the width, its columns aligned', () => {
    expect(format(table, 80)).toBe('  CODE  WHEN\n  A     one two three four five six\n  B|C   seven');
    expect(format(table, 28)).toBe(
      '  CODE  WHEN\n  A     one two three four\n        five six\n  B|C   seven',
    );
  });

  it('shows a table as records where there is no room for columns', () => {
    expect(format(table, 20)).toBe(
      '  code: A\n    when: one two\n      three four\n      five six\n  code: B|C\n    when: seven',
    );
  });

  it('shows a table without a head', () => {
    const headless = '| | |\n| --- | --- |\n| a | one two three four |\n';
    expect(format(headless, 80)).toBe('  a  one two three four');
    expect(format(headless, 18)).toBe('  a\n    one two\n      three four');
  });

  it('counts wide characters as two columns', () => {
    expect(format('日本 日本 日本', 12)).toBe('  日本 日本\n  日本');
    expect(format('| a | b |\n|-|-|\n| 日本 | x |\n| c | y |')).toBe('  A     B\n  日本  x\n  c     y');
  });

  it('shows HTML as text', () => {
    expect(format('a <b> &amp; c')).toBe('  a <b> &amp; c');
  });

  it('loses no text of any page, and keeps within any width', () => {
    const inputs = fc.record({
      page: fc.constantFrom(...pages),
      width: fc.integer({ min: 20, max: 200 }),
      color: fc.boolean(),
    });
    fc.assert(
      fc.property(inputs, ({ page, width, color }) => {
        const text = textOf(page);
        const shown = plainText(formatPage(text, { width, style: styleFor(color), pages }).written);
        const code = codeIn(text).map((block) => trimmed(block.trimEnd()));
        const isCode = new Set(code.flat());
        const lines = shown.split('\n').filter((line) => !isCode.has(line.trim()));
        const isTooWide = (line: string) => textWidth(line) > width && !/^ *(?:- |\d+\. )?\S+$/.test(line);
        expect(lines.filter(isTooWide)).toEqual([]);
        expect(lines.filter((line) => /`|^\s*\||\|\s*$| \| .* \| /.test(line))).toEqual([]);
        for (const block of code) expect(trimmed(shown).join('\n')).toContain(block.join('\n'));

        const source = text
          .replace(/^ *```.*$/gm, '')
          .replace(/\]\((?!https?:)[^)]*\)/g, ']')
          .replace(/^\s*\d+\. /gm, '');
        const counts = countWords(shown);
        const lost = [...countWords(source)].filter(([word, count]) => (counts.get(word) ?? 0) < count);
        expect(lost).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});
