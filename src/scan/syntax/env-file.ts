import { type Assignment, countLines, endOfLine } from './assignment.ts';

const head = /[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/y;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

type Value = Pick<Assignment, 'value' | 'start' | 'end' | 'isReference'> & { readonly after: number };

/**
 * The assignments of a `.env` file, in its order and with duplicates. There is no standard: this reads what dotenv,
 * Docker Compose and shells agree on. `#` begins a comment only after whitespace, so that `sk-12#3` is one value. Lines
 * without an assignment are skipped.
 */
export function parseEnvFile(text: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    head.lastIndex = at;
    const match = head.exec(text);
    let end = at;
    if (match?.[1] !== undefined) {
      const { after, ...value } = readValue(text, head.lastIndex);
      assignments.push({ name: match[1], line, ...value });
      end = after;
    }
    end = endOfLine(text, end);
    const next = end + (text.startsWith('\r\n', end) ? 2 : 1);
    line += countLines(text, at, Math.min(next, text.length));
    at = next;
  }
  return assignments;
}

function readValue(text: string, start: number): Value {
  return readQuoted(text, start) ?? readUnquoted(text, start);
}

/** `undefined` unless one pair of quotes surrounds the value, with at most a comment after it. */
function readQuoted(text: string, start: number): Value | undefined {
  const quote = text[start];
  if (quote !== '"' && quote !== "'" && quote !== '`') return undefined;
  const end = closingQuote(text, start + 1, quote);
  if (end === undefined || !/^[ \t]*(?:#.*)?$/s.test(text.slice(end + 1, endOfLine(text, end + 1)))) {
    return undefined;
  }
  const inner = text.slice(start + 1, end);
  return quote === '"'
    ? { value: unescaped(inner), start: start + 1, end, after: end + 1, isReference: refers(inner) }
    : { value: inner, start: start + 1, end, after: end + 1, isReference: false };
}

function closingQuote(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (quote === '"' && text[at] === '\\') at += 1;
  }
  return undefined;
}

function readUnquoted(text: string, from: number): Value {
  const after = endOfLine(text, from);
  // The whitespace before it was taken in with the `=`; a value would go in front of that.
  if (text[from] === '#' && /[ \t]/.test(text[from - 1] ?? '')) {
    const start = from - (/[ \t]*$/.exec(text.slice(0, from))?.[0].length ?? 0);
    return { value: '', start, end: start, after, isReference: false };
  }
  const raw = text.slice(from, after);
  const comment = raw.search(/[ \t]#/);
  const value = (comment === -1 ? raw : raw.slice(0, comment)).replace(/[ \t]+$/, '');
  return { value, start: from, end: from + value.length, after, isReference: refers(value) };
}

function unescaped(text: string): string {
  return text.replace(/\\([nrt"\\$`])/g, (_, char: string) => escapes[char] ?? char);
}

function refers(raw: string): boolean {
  return /\$[A-Za-z_{(]/.test(raw.replace(/\\./gs, ''));
}
