import type { StdioOptions } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';

/** Programs rarely use higher numbers, and Node does not touch those that are far up. */
const highest = 255;

/**
 * The streams that a child gets: this process's own, and every other file and pipe that it was started with (`3< file`,
 * zsh's `<(…)`), under the same number. Node would close those, since it marks them so when it starts.
 */
export function inheritedStreams(links: ReadonlyMap<number, string> = ownLinks()): StdioOptions {
  const inherited = inheritedDescriptors(links);
  const last = Math.max(2, ...inherited);
  return Array.from({ length: last + 1 }, (_, descriptor) => {
    if (descriptor <= 2) return 'inherit';
    return inherited.includes(descriptor) ? descriptor : 'ignore';
  });
}

/**
 * Descriptors above stderr that are neither Node's nor authsome's. Node has no file open except /dev/null, and both ends of
 * its pipes. No socket is passed on, since one of them is the lease of the run.
 */
function inheritedDescriptors(links: ReadonlyMap<number, string>): readonly number[] {
  const ends = (pipe: string): number => [...links.values()].filter((link) => link === pipe).length;
  return [...links]
    .filter(([descriptor, link]) => {
      if (descriptor <= 2 || descriptor > highest) return false;
      return (link.startsWith('/') && link !== '/dev/null') || (link.startsWith('pipe:') && ends(link) === 1);
    })
    .map(([descriptor]) => descriptor);
}

/** What each of this process's descriptors leads to; empty without /proc. */
function ownLinks(): ReadonlyMap<number, string> {
  const directory = '/proc/self/fd';
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return new Map();
  }
  return new Map(
    names.flatMap((name) => {
      try {
        return [[Number(name), readlinkSync(`${directory}/${name}`)] as const];
      } catch {
        // The one that the directory was read through.
        return [];
      }
    }),
  );
}
