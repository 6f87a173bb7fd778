import { textWidth } from './text-width.ts';

/** A command that a person is told to run: after a colon, to the end of the line. */
const commandAtEnd = /(?<=:) (?=authsome )/;

/** A label and the spaces that align its value with those of the lines around it. */
const labelAtStart = /^ *\S+(?: \S+)* {2,}(?=\S)/;

/**
 * `text` with its lines broken between words so that none is wider than `width` columns. A wider word has a line of its
 * own, as has a command to copy, which a break would cut in two. What follows a break is indented like the line that was
 * broken, or, after a label and its two spaces or more, like the value beside the label.
 */
export function wrapText(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => {
      if (textWidth(line) <= width) return [line];
      const label = labelAtStart.exec(line)?.[0] ?? '';
      const indent = label === '' ? (/^ */.exec(line)?.[0] ?? '') : ' '.repeat(textWidth(label));
      const [prose = '', command] = line.slice(label.length).split(commandAtEnd);
      const words = prose.split(' ').filter((word) => word !== '');
      if (command !== undefined) words.push(command);
      return wrapWords(words, width - indent.length).map(
        (wrapped, index) => (index === 0 && label !== '' ? label : indent) + wrapped,
      );
    })
    .join('\n');
}

/** The words on lines of at most `width` columns, with one space between two words; no words are one empty line. */
export function wrapWords(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of words) {
    const size = textWidth(word);
    if (line === '') {
      line = word;
      used = size;
    } else if (used + 1 + size <= width) {
      line += ` ${word}`;
      used += 1 + size;
    } else {
      lines.push(line);
      line = word;
      used = size;
    }
  }
  return [...lines, line];
}
