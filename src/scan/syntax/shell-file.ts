import type { Assignment } from './assignment.ts';
import { readShellWord } from './shell-word.ts';

/** What the next word is part of. */
type Place = 'command' | 'declaration' | 'arguments';

/** Builtins whose arguments are assignments. */
const declarators = new Set(['export', 'declare', 'typeset', 'readonly', 'local']);
/** Words after which a command begins. */
const openers = new Set(['then', 'do', 'else', 'elif', 'if', 'while', 'until', '{', '!', 'time', 'builtin']);
const assignmentHead = /([A-Za-z_][A-Za-z0-9_]*)=/y;
const hereDocument = /<<(-?)[ \t]*(["']?)([A-Za-z_][\w.-]*)\2/y;

/**
 * The assignments in a shell script such as `~/.bashrc`, in its order: `export NAME=value` and its relatives, and
 * assignments in front of commands. Nothing is run; what would come out of running something is marked as a reference.
 */
export function parseShellFile(text: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let place: Place = 'command';
  let documents: { readonly delimiter: string; readonly isIndented: boolean }[] = [];
  let at = text.startsWith('\ufeff') ? 1 : 0;
  let line = 1;
  const moveTo = (next: number): void => {
    line += text.slice(at, next).split('\n').length - 1;
    at = next;
  };
  while (at < text.length) {
    const char = text[at] ?? '';
    if (char === '\n') {
      moveTo(at + 1);
      for (const { delimiter, isIndented } of documents) {
        moveTo(afterDocument(text, at, delimiter, isIndented));
      }
      documents = [];
      place = 'command';
    } else if (';&|()'.includes(char)) {
      moveTo(at + 1);
      place = 'command';
    } else if (char === '#') {
      const end = text.indexOf('\n', at);
      moveTo(end === -1 ? text.length : end);
    } else if (/\s/.test(char)) {
      moveTo(at + 1);
    } else if (char === '<' || char === '>') {
      hereDocument.lastIndex = at;
      const document = hereDocument.exec(text);
      if (document === null) {
        if (place === 'command') place = 'arguments';
        // A here-string is one word on this line.
        moveTo(at + (text.startsWith('<<<', at) ? 3 : 1));
      } else {
        documents.push({ delimiter: document[3] ?? '', isIndented: document[1] === '-' });
        moveTo(hereDocument.lastIndex);
      }
    } else {
      assignmentHead.lastIndex = at;
      const name = place === 'arguments' ? undefined : assignmentHead.exec(text)?.[1];
      const word = readShellWord(text, name === undefined ? at : assignmentHead.lastIndex);
      const { value, start, end, isReference } = word;
      if (name !== undefined) assignments.push({ name, line, value, start, end, isReference });
      else if (place === 'command') place = placeAfter(value);
      moveTo(word.after);
    }
  }
  return assignments;
}

function placeAfter(word: string): Place {
  if (declarators.has(word)) return 'declaration';
  return openers.has(word) ? 'command' : 'arguments';
}

/** Offset behind the line that ends a here-document, or of the end of the text. */
function afterDocument(text: string, from: number, delimiter: string, isIndented: boolean): number {
  let at = from;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const next = end === -1 ? text.length : end + 1;
    const line = text.slice(at, next).replace(/\r?\n$/, '');
    at = next;
    if ((isIndented ? line.replace(/^\t+/, '') : line) === delimiter) return at;
  }
  return at;
}
