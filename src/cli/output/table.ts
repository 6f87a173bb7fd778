import type { Style } from '../style.ts';
import { cutText, textWidth } from './text-width.ts';

export interface TableOptions {
  readonly style: Style;
  /** Columns of the terminal; `undefined` when nothing must be cut. */
  readonly width: number | undefined;
}

const gap = 2;

/** Rows under a head, columns aligned. Columns that are empty throughout are left out. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { style, width }: TableOptions,
): string {
  const used = head
    .map((_, column) => column)
    .filter((column) => rows.some((row) => (row[column] ?? '') !== ''));
  const widths = used.map((column) =>
    Math.max(...[head, ...rows].map((row) => textWidth(row[column] ?? ''))),
  );
  const lineOf = (row: readonly string[], mark: (text: string) => string): string => {
    const cells = used.map((column, index) => {
      const cell = row[column] ?? '';
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - textWidth(cell)));
      return index === used.length - 1 ? cell : cell + padding;
    });
    const line = cells.join(' '.repeat(gap)).trimEnd();
    return mark(width === undefined ? line : cutText(line, width));
  };
  return [lineOf(head, style.dim), ...rows.map((row) => lineOf(row, (text) => text))].join('\n');
}
