import { joined, type SafeText, safe, type Text } from './safe-text.ts';
import type { Style } from './style.ts';
import { cutText, textWidth, trimmedEnd } from './text-width.ts';

export interface TableOptions {
  readonly style: Style;
  /** Columns of the terminal; `undefined` when nothing must be cut. */
  readonly width: number | undefined;
}

const gap = 2;

/** Rows under a head, columns aligned. Columns that are empty throughout are left out. */
export function formatTable(
  head: readonly Text[],
  rows: readonly (readonly Text[])[],
  { style, width }: TableOptions,
): SafeText {
  const used = head
    .map((_, column) => column)
    .filter((column) => rows.some((row) => (row[column] ?? '') !== ''));
  const widths = used.map((column) =>
    Math.max(...[head, ...rows].map((row) => textWidth(safe(row[column] ?? '')))),
  );
  const lineOf = (row: readonly Text[]): SafeText => {
    const cells = used.map((column, index) => {
      const cell = safe(row[column] ?? '');
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(cell)));
      return index === used.length - 1 ? cell : joined([cell, padding], '');
    });
    const line = trimmedEnd(joined(cells, ' '.repeat(gap)));
    return width === undefined ? line : cutText(line, width);
  };
  return joined([style.dim(lineOf(head)), ...rows.map(lineOf)], '\n');
}
