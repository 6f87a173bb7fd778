import type { Pattern } from '../pattern.ts';

/** What one set of a pattern took of a text, and how much of it the set may take. */
export interface Step {
  readonly text: string;
  readonly set: string;
  readonly min: number;
  readonly max: number;
}

interface Path {
  readonly step: Step;
  readonly before: Path | undefined;
}

type Next = (at: number, path: Path | undefined) => Path | undefined;

/** Longer texts are not walked: a step needs stack. */
const longestWalked = 1024;
const mostTries = 100_000;
const start: Path = { step: { text: '', set: '', min: 0, max: 0 }, before: undefined };

/** How a text goes through a pattern that it matches; `undefined` where it does not match. */
export function walkPattern(pattern: Pattern, text: string): readonly Step[] | undefined {
  if (text.length > longestWalked) return undefined;
  let tries = 0;

  const walk = (part: Pattern, at: number, path: Path | undefined, next: Next): Path | undefined => {
    tries += 1;
    if (tries > mostTries) return undefined;
    switch (part.kind) {
      case 'set':
        return part.chars.includes(text[at] ?? '\n')
          ? next(at + 1, { step: { text: text.charAt(at), set: part.chars, min: 1, max: 1 }, before: path })
          : undefined;
      case 'sequence':
        return walkParts(part.parts, 0, { at, path, next });
      case 'choice':
        for (const option of part.options) {
          const found = walk(option, at, path, next);
          if (found !== undefined) return found;
        }
        return undefined;
      case 'repeat':
        return part.part.kind === 'set'
          ? walkRun({ ...part, set: part.part.chars }, at, path, next)
          : walkRounds(part, 0, { at, path, next });
    }
  };

  const walkParts = (
    parts: readonly Pattern[],
    index: number,
    { at, path, next }: Walk,
  ): Path | undefined => {
    const part = parts[index];
    if (part === undefined) return next(at, path);
    return walk(part, at, path, (after, taken) =>
      walkParts(parts, index + 1, { at: after, path: taken, next }),
    );
  };

  const walkRun = (
    { set, min, max }: { readonly set: string; readonly min: number; readonly max: number },
    at: number,
    path: Path | undefined,
    next: Next,
  ): Path | undefined => {
    let end = at;
    while (end < text.length && end - at < max && set.includes(text.charAt(end))) end += 1;
    for (; end - at >= min; end -= 1) {
      const step = { text: text.slice(at, end), set, min, max };
      const found = next(end, { step, before: path });
      if (found !== undefined) return found;
      tries += 1;
      if (tries > mostTries) return undefined;
    }
    return undefined;
  };

  const walkRounds = (
    repeat: Extract<Pattern, { readonly kind: 'repeat' }>,
    round: number,
    { at, path, next }: Walk,
  ): Path | undefined => {
    if (round < repeat.max) {
      const found = walk(repeat.part, at, path, (after, taken) =>
        after === at ? undefined : walkRounds(repeat, round + 1, { at: after, path: taken, next }),
      );
      if (found !== undefined) return found;
    }
    return round >= repeat.min ? next(at, path) : undefined;
  };

  const end = walk(pattern, 0, start, (at, path) => (at === text.length ? path : undefined));
  return end === undefined ? undefined : stepsOf(end);
}

interface Walk {
  readonly at: number;
  readonly path: Path | undefined;
  readonly next: Next;
}

function stepsOf(end: Path): readonly Step[] {
  const steps: Step[] = [];
  for (let path: Path | undefined = end; path !== undefined && path !== start; path = path.before)
    steps.push(path.step);
  return steps.reverse();
}
