/** One word of a shell script. */
export interface ShellWord {
  /** Quotes and escapes taken away. Meaningless where `isReference`. */
  readonly value: string;
  /** The word, without its quotes where one pair surrounds the whole. */
  readonly start: number;
  readonly end: number;
  readonly after: number;
  readonly isReference: boolean;
}

interface Piece {
  readonly value: string;
  readonly after: number;
  readonly isReference: boolean;
}

/** The word that begins at `from`; empty where a separator stands. POSIX shell, "Token Recognition" and "Quoting". */
export function readShellWord(text: string, from: number): ShellWord {
  let value = '';
  let isReference = false;
  let pieces = 0;
  let at = from;
  while (at < text.length && !/[\s;&|()<>]/.test(text[at] ?? '')) {
    const piece = readPiece(text, at);
    value += piece.value;
    isReference ||= piece.isReference;
    pieces += 1;
    at = piece.after;
  }
  const isQuotedWhole = pieces === 1 && at - from >= 2 && (text[from] === '"' || text[from] === "'");
  return isQuotedWhole && !isReference
    ? { value, start: from + 1, end: at - 1, after: at, isReference }
    : { value, start: from, end: at, after: at, isReference };
}

function readPiece(text: string, at: number): Piece {
  switch (text[at]) {
    case "'":
      return readSingleQuoted(text, at);
    case '"':
      return readDoubleQuoted(text, at);
    case '\\':
      return readEscaped(text, at);
    case '`':
      return skipTo(text, at, '`', at + 1);
    case '$':
      return readExpansion(text, at);
    default:
      return { value: text[at] ?? '', after: at + 1, isReference: false };
  }
}

function readSingleQuoted(text: string, at: number): Piece {
  const end = text.indexOf("'", at + 1);
  if (end === -1) return unfinished(text, at);
  return { value: text.slice(at + 1, end), after: end + 1, isReference: false };
}

function readDoubleQuoted(text: string, start: number): Piece {
  let value = '';
  let isReference = false;
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '"') return { value, after: at + 1, isReference };
    if (char === '`' || (char === '$' && /[A-Za-z_{(0-9@*#?!$-]/.test(text[at + 1] ?? '')))
      isReference = true;
    if (char === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) {
      at += 1;
      value += text[at] === '\n' ? '' : text[at];
    } else {
      value += char;
    }
  }
  return unfinished(text, start);
}

function readEscaped(text: string, at: number): Piece {
  const continued = /^\\\r?\n/.exec(text.slice(at, at + 3))?.[0];
  if (continued !== undefined) return { value: '', after: at + continued.length, isReference: false };
  return { value: text[at + 1] ?? '', after: Math.min(at + 2, text.length), isReference: false };
}

function readExpansion(text: string, at: number): Piece {
  const next = text[at + 1];
  if (next === '{') return skipTo(text, at, '}', at + 2);
  if (next === '(') return skipParentheses(text, at);
  if (next === "'" || next === '"') return { ...readPiece(text, at + 1), isReference: true };
  return { value: '$', after: at + 1, isReference: next !== undefined && /[\w@*#?!$-]/.test(next) };
}

function skipTo(text: string, at: number, closing: string, from: number): Piece {
  const end = text.indexOf(closing, from);
  return end === -1 ? unfinished(text, at) : { value: '', after: end + 1, isReference: true };
}

function skipParentheses(text: string, at: number): Piece {
  let depth = 0;
  for (let end = at + 1; end < text.length; end += 1) {
    if (text[end] === '(') depth += 1;
    if (text[end] === ')') depth -= 1;
    if (depth === 0) return { value: '', after: end + 1, isReference: true };
  }
  return unfinished(text, at);
}

/** What is never closed ends with its line, so that the rest of the file is still read. */
function unfinished(text: string, at: number): Piece {
  const end = text.indexOf('\n', at);
  return { value: '', after: end === -1 ? text.length : end, isReference: true };
}
