/** One named value of a file, and where it stands in the text. */
export interface Assignment {
  readonly name: string;
  /** As a program would see it: quotes, escapes and encodings taken away. */
  readonly value: string;
  /** Of the name; the first line is 1. */
  readonly line: number;
  /** Where another value would go: offsets into the text, surrounding quotes left out. */
  readonly start: number;
  readonly end: number;
  /** Made from something else (`$NAME`, `$(command)`): what it will be is not written here. */
  readonly isReference: boolean;
  /** The part of the file in which a later value of the same name replaces this one. Left out: the whole file. */
  readonly section?: string;
  /** The host that gets the value, as far as the file says. */
  readonly host?: string | undefined;
  /** Whether the format has nothing but a secret in this place. */
  readonly isSecret?: boolean;
  /** The agent whose own sign-in this is a token of. It is renewed by that agent, so it cannot become a connection as it is. */
  readonly agent?: string;
  /** How another value is written in its place; left out where it is written as it is. */
  readonly spell?: ((value: string) => string) | undefined;
}

export interface Replacement {
  readonly assignment: Assignment;
  readonly value: string;
}

/** `text` with these values, all else as it was. A value must read the same whatever the quotes around it. */
export function replaceValues(text: string, replacements: readonly Replacement[]): string {
  let rest = text;
  const backwards = [...replacements].sort((left, right) => right.assignment.start - left.assignment.start);
  for (const { assignment, value } of backwards) {
    if (!isPlainValue(value)) throw new TypeError('a value that would need quotes of its own');
    const written = assignment.spell?.(value) ?? value;
    rest = rest.slice(0, assignment.start) + written + rest.slice(assignment.end);
  }
  return rest;
}

/** Whether no quoting changes it and no shell expands it. */
export function isPlainValue(value: string): boolean {
  return /^[A-Za-z0-9_.:@+=-]+$/.test(value);
}

/** How many lines end in `text` from `start` to `end`: at CR LF, at LF, and at CR alone. */
export function countLines(text: string, start: number, end: number): number {
  return text.slice(start, end).match(/\r\n|\n|\r/g)?.length ?? 0;
}

/** Offset of the next line end at or after `from`, or of the end of the text. */
export function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) if (text[at] === '\n' || text[at] === '\r') return at;
  return text.length;
}

/** Gives the line of each offset, in one pass where the offsets do not fall. */
export function lineCounter(text: string): (offset: number) => number {
  let at = 0;
  let line = 1;
  return (offset) => {
    if (offset < at) {
      at = 0;
      line = 1;
    }
    line += countLines(text, at, offset);
    at = offset;
    return line;
  };
}
