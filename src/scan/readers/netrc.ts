import { type Assignment, lineCounter } from '../syntax/index.ts';
import { endsIn, inHome, named, type Reader } from './reader.ts';

const word = /"((?:[^"\\]|\\.)*)"|[^\s"]\S*/g;

interface Word {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** The `.netrc` of curl, git, Heroku and others: passwords by host (`man 5 netrc`; quotes as curl reads them). */
export const netrc: Reader = {
  name: 'netrc',
  fits: endsIn('.netrc', '_netrc'),
  places: (where) => {
    const own = named(where, 'NETRC');
    return [...(own === undefined ? [] : [own]), ...inHome(where, '.netrc', '_netrc')];
  },
  read: (text) => {
    const found: Assignment[] = [];
    const lineOf = lineCounter(text);
    let host: string | undefined;
    let keyword: 'machine' | 'password' | 'other' | undefined;
    for (const { value, start, end } of wordsOf(text)) {
      if (keyword === 'machine') host = value.toLowerCase();
      if (keyword === 'password') {
        found.push({
          name: 'password',
          value,
          line: lineOf(start),
          start,
          end,
          isReference: false,
          isSecret: true,
          section: String(start),
          host,
        });
      }
      if (keyword !== undefined) keyword = undefined;
      else if (value === 'machine' || value === 'password') keyword = value;
      else if (value === 'login' || value === 'account') keyword = 'other';
      else if (value === 'default') host = undefined;
    }
    return found;
  },
};

/** The words outside of comments and macros. A macro ends at an empty line. */
function wordsOf(text: string): readonly Word[] {
  const words: Word[] = [];
  let isMacro = false;
  for (const { 0: line, index } of text.matchAll(/[^\n]*(?:\n|$)/g)) {
    if (isMacro || /^\s*#/.test(line)) {
      if (line.trim() === '') isMacro = false;
      continue;
    }
    for (const match of line.matchAll(word)) {
      const [whole, quoted] = match;
      if (whole === 'macdef') {
        isMacro = true;
        break;
      }
      const start = index + match.index + (quoted === undefined ? 0 : 1);
      const length = (quoted ?? whole).length;
      words.push({ value: (quoted ?? whole).replace(/\\(.)/g, '$1'), start, end: start + length });
    }
  }
  return words;
}
