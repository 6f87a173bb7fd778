import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { type Block, endOf, holds, type Link } from './chain.ts';

/** A file of archived blocks, by the numbers of its first and last event. */
interface Segment {
  readonly path: string;
  readonly first: number;
  readonly last: number;
}

/**
 * The blocks that were archived up to `end`, the newest first and proven by the chain that goes on from them; one file is
 * in memory at a time. Where a file has been taken away the trail ends. Throws `DatabaseCorrupt` for one that was changed.
 */
export async function* archivedBlocks(directory: string, end: Link): AsyncGenerator<Block, void> {
  const segments = await segmentsIn(directory);
  for (let newer = end; newer.sequence > 0; ) {
    const segment = segments.find(({ last }) => last === newer.sequence);
    if (segment === undefined) return;
    const { before, blocks } = await readSegment(segment);
    const last = blocks.at(-1);
    if (last === undefined || Buffer.compare(last.hash, newer.hash) !== 0) throw changed(segment);
    yield* blocks.toReversed();
    newer = before;
  }
}

/** The archived blocks with events after `after`, up to the event `end`, the oldest first. */
export async function* archivedBlocksAfter(
  directory: string,
  after: number,
  end: number,
): AsyncGenerator<Block, void> {
  const segments = await segmentsIn(directory);
  for (let reached = after; reached < end; ) {
    const segment = segments.find(({ first, last }) => first <= reached + 1 && last > reached && last <= end);
    // What was taken away is passed over.
    const next = segment ?? segments.find(({ first, last }) => first > reached && last <= end);
    if (next === undefined) return;
    yield* (await readSegment(next)).blocks.filter(({ last_sequence }) => last_sequence > reached);
    reached = next.last;
  }
}

async function segmentsIn(directory: string): Promise<readonly Segment[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.sort().flatMap((name) => {
    const [, first, last] = /^audit-(\d{12,})-(\d{12,})\.jsonl$/.exec(name) ?? [];
    if (first === undefined || last === undefined) return [];
    return [{ path: join(directory, name), first: Number(first), last: Number(last) }];
  });
}

/** What a segment holds, each block proven by its link; `before` is the end of what came earlier. */
async function readSegment(
  segment: Segment,
): Promise<{ readonly before: Link; readonly blocks: readonly Block[] }> {
  const text = await readFile(segment.path, 'utf8');
  const blocks: Block[] = [];
  let before: Link | undefined;
  let lines: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const link = /^\{"link":"([0-9a-f]{64})"\}$/.exec(line)?.[1];
    if (link === undefined) {
      lines.push(line);
      continue;
    }
    const hash = Buffer.from(link, 'hex');
    const last = blocks.at(-1);
    const previous = last === undefined ? before : endOf(last);
    if (previous === undefined) {
      before = { sequence: segment.first - 1, hash };
    } else {
      const block = {
        last_sequence: previous.sequence + lines.length,
        events: lines.length,
        body: lines.join('\n'),
        hash,
      };
      if (!holds(block, previous)) throw changed(segment);
      blocks.push(block);
    }
    lines = [];
  }
  if (before === undefined || lines.length > 0 || blocks.at(-1)?.last_sequence !== segment.last) {
    throw changed(segment);
  }
  return { before, blocks };
}

function changed({ path }: Segment): AuthsomeError {
  return new AuthsomeError('DatabaseCorrupt', `the archived events are not what was written: ${path}`, {
    hint: 'Put the file back from a backup, or move it away: the events in it and before it are then left out.',
  });
}
