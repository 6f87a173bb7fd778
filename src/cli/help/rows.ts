import { textWidth } from '../output/text-width.ts';
import { wrapWords } from '../output/wrap.ts';

/** A cell, as its words. */
export type Cell = readonly string[];

const gap = 2;
/** A wrapped column that is narrower than this is hard to read. */
const readableWidth = 16;

/**
 * The lines of each row, with the columns aligned and their cells wrapped so that everything fits into `width`; `undefined`
 * where that is too narrow for columns.
 */
export function alignRows(
  rows: readonly (readonly Cell[])[],
  width: number,
): readonly (readonly string[])[] | undefined {
  const widths = columnWidths(rows, width);
  if (widths === undefined) return undefined;
  return rows.map((row) => {
    const columns = widths.map((columnWidth, column) => wrapWords(row[column] ?? [], columnWidth));
    const height = Math.max(...columns.map((lines) => lines.length));
    return Array.from({ length: height }, (_, index) =>
      columns
        .map((lines, column) => padded(lines[index] ?? '', widths[column] ?? 0))
        .join(' '.repeat(gap))
        .trimEnd(),
    );
  });
}

/** What each column needs where that fits; else as even a share of the width as its words allow. */
function columnWidths(rows: readonly (readonly Cell[])[], width: number): readonly number[] | undefined {
  const count = Math.max(...rows.map((row) => row.length));
  const columns = Array.from({ length: count }, (_, column) => rows.map((row) => row[column] ?? []));
  const wanted = columns.map((cells) => Math.max(...cells.map((words) => textWidth(words.join(' ')))));
  const widths = columns.map((cells, column) =>
    Math.max(Math.min(readableWidth, wanted[column] ?? 0), ...cells.flat().map(textWidth)),
  );
  let spare = width - gap * (count - 1) - widths.reduce((sum, each) => sum + each, 0);
  if (spare < 0) return undefined;
  for (; spare > 0; spare -= 1) {
    const growing = widths.map((each, column) => (each < (wanted[column] ?? 0) ? each : Infinity));
    const narrowest = Math.min(...growing);
    if (narrowest === Infinity) break;
    widths[growing.indexOf(narrowest)] = narrowest + 1;
  }
  return widths;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}
