import { lineCounter } from './assignment.ts';

/** One `key = value` of an INI file. */
export interface IniEntry {
  /** Empty before the first section. */
  readonly section: string;
  readonly key: string;
  /** Surrounding quotes and whitespace left out. */
  readonly value: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The entries of an INI file, as `npm`, `pip`, the AWS tools and Python read it: `;` and `#` begin a comment at the start of a
 * line only. An indented line after an entry continues it, and counts as an entry of the same key.
 */
export function readIni(text: string): readonly IniEntry[] {
  const entries: IniEntry[] = [];
  const lineOf = lineCounter(text);
  let section = '';
  let key = '';
  for (const match of text.matchAll(/[^\r\n]+/g)) {
    const [raw] = match;
    const line = raw.replace(/^\ufeff/, '');
    const from = match.index + raw.length - line.length;
    const trimmed = line.trim();
    if (trimmed === '' || /^[;#]/.test(trimmed)) continue;
    const heading = /^\[(.*)\]$/.exec(trimmed);
    if (heading !== null) {
      section = (heading[1] ?? '').trim();
      key = '';
      continue;
    }
    const equals = line.indexOf('=');
    let value = trimmed;
    if (/^[ \t]/.test(line) || equals <= 0) {
      if (key === '' || !/^[ \t]/.test(line)) continue;
    } else {
      key = line.slice(0, equals).trim();
      value = line.slice(equals + 1).trim();
    }
    const start = from + line.trimEnd().length - value.length;
    const quote = /^(["'])(.*)\1$/.exec(value);
    entries.push({
      section,
      key,
      value: quote?.[2] ?? value,
      line: lineOf(from),
      start: start + (quote === null ? 0 : 1),
      end: start + value.length - (quote === null ? 0 : 1),
    });
  }
  return entries;
}
