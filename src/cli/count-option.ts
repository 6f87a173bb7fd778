import { InvalidArgumentError } from 'commander';

/** A whole number of `least` or more, for an option parser. */
export function countOption(least: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (count >= least) return count;
    throw new InvalidArgumentError(`It must be a whole number, ${least} or more.`);
  };
}
