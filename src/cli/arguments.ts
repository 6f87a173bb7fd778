import { InvalidArgumentError } from 'commander';
import { type GlobalFlags, noFlags, readGlobalFlag } from './global-flags.ts';

/** The global flags among `args`, wherever they stand before `--`, and the rest in its order. `--help` stays in it. */
export function takeGlobalFlags(args: readonly string[]): {
  readonly flags: GlobalFlags;
  readonly rest: readonly string[];
} {
  let flags = noFlags;
  let left = args;
  const rest: string[] = [];
  while (left.length > 0 && left[0] !== '--') {
    const read = left[0] === '--help' || left[0] === '-h' ? undefined : readGlobalFlag(flags, left);
    if (read === undefined) {
      rest.push(...left.slice(0, 1));
      left = left.slice(1);
    } else {
      flags = read.flags;
      left = read.rest;
    }
  }
  return { flags, rest: [...rest, ...left] };
}

/** A whole number of `least` or more, for an option parser. */
export function countOption(least: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (count >= least) return count;
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}
