import { open, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AuthsomeError } from '../errors.ts';
import { segmentName } from './archive.ts';
import { type Block, continues, endOf, type Link } from './chain.ts';

/** A file of archived blocks, by the numbers of its first and last event. */
interface Segment {
  readonly path: string;
  readonly first: number;
  readonly last: number;
}

/**
 * The blocks that were archived up to `end`, the newest first, each proven by the one after it. One file is in memory at
 * a time. Without the oldest files the trail begins later. Throws `DatabaseCorrupt` for a file that was modified, and for
 * one that is missing between others.
 */
export async function* archivedBlocks(directory: string, end: Link): AsyncGenerator<Block, void> {
  let { hash } = end;
  for (const segment of backFrom(await segmentsIn(directory), end.sequence)) {
    const { before, blocks } = await readSegment(segment, hash);
    yield* blocks.toReversed();
    hash = before.hash;
  }
}

/**
 * The archived blocks with events after `after`, up to `end`, the oldest first. Each file must end in the hash that
 * the next one links to, and the last in `end`; only reading all of them proves all. Throws as `archivedBlocks`.
 */
export async function* archivedBlocksAfter(
  directory: string,
  after: number,
  end: Link,
): AsyncGenerator<Block, void> {
  const line: Segment[] = [];
  for (const segment of backFrom(await segmentsIn(directory), end.sequence)) {
    line.unshift(segment);
    if (segment.first <= after + 1) break;
  }
  for (const [index, segment] of line.entries()) {
    const next = line[index + 1];
    const { blocks } = await readSegment(segment, next === undefined ? end.hash : await openingOf(next));
    yield* blocks.filter(({ lastSequence }) => lastSequence > after);
  }
}

/** The segments that lead up to the event `end`, the newest first, by their names alone. */
function* backFrom(segments: readonly Segment[], end: number): Generator<Segment, void> {
  for (let newer = end; newer > 0; ) {
    const segment = segments.find(({ last }) => last === newer);
    if (segment === undefined) {
      const older = segments.findLast(({ last }) => last < newer);
      if (older !== undefined) throw missing(older, newer);
      return;
    }
    yield segment;
    newer = segment.first - 1;
  }
}

async function segmentsIn(directory: string): Promise<readonly Segment[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.sort().flatMap((name) => {
    const [first = 0, last = 0] = (/^audit-(\d{12,})-(\d{12,})\.jsonl$/.exec(name) ?? [])
      .slice(1)
      .map(Number);
    return first > 0 && last >= first ? [{ path: join(directory, name), first, last }] : [];
  });
}

/** The hash that the segment links to. */
async function openingOf(segment: Segment): Promise<Uint8Array> {
  const file = await open(segment.path, 'r');
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(linkLength), 0, linkLength, 0);
    const hash = linkIn(buffer.toString('utf8', 0, bytesRead));
    if (hash === undefined) throw modified(segment);
    return hash;
  } finally {
    await file.close();
  }
}

const linkLength = JSON.stringify({ link: '0'.repeat(64) }).length;

function linkIn(line: string): Uint8Array | undefined {
  const hash = /^\{"link":"([0-9a-f]{64})"\}$/.exec(line)?.[1];
  return hash === undefined ? undefined : Buffer.from(hash, 'hex');
}

/** The blocks of a segment, each proven by its link, the last by `end`. `before` is the link that they continue. */
async function readSegment(
  segment: Segment,
  end: Uint8Array,
): Promise<{ readonly before: Link; readonly blocks: readonly Block[] }> {
  const text = await readFile(segment.path, 'utf8');
  const blocks: Block[] = [];
  let before: Link | undefined;
  let lines: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const hash = linkIn(line);
    if (hash === undefined) {
      lines.push(line);
      continue;
    }
    const last = blocks.at(-1);
    const previous = last === undefined ? before : endOf(last);
    if (previous === undefined) {
      if (lines.length > 0) throw modified(segment);
      before = { sequence: segment.first - 1, hash };
    } else {
      const block = {
        lastSequence: previous.sequence + lines.length,
        events: lines.length,
        body: lines.join('\n'),
        hash,
      };
      if (!continues(block, previous)) throw modified(segment);
      blocks.push(block);
    }
    lines = [];
  }
  const last = blocks.at(-1);
  const isComplete = lines.length === 0 && last?.lastSequence === segment.last;
  if (before === undefined || !isComplete || Buffer.compare(last.hash, end) !== 0) throw modified(segment);
  return { before, blocks };
}

function modified({ path }: Segment): AuthsomeError {
  return new AuthsomeError('DatabaseCorrupt', `the archived events have been modified: ${path}`, {
    hint: 'Restore the file from a backup, or move it away with all older ones: the trail then begins after it.',
  });
}

/** The error for the missing events after `older`, up to `last`. */
function missing(older: Segment, last: number): AuthsomeError {
  const path = join(dirname(older.path), segmentName(older.last + 1, last));
  return new AuthsomeError('DatabaseCorrupt', `archived events are missing, but older ones exist: ${path}`, {
    hint: `Restore the file from a backup, or move away the older ones, up to ${older.path}: the trail then begins after them.`,
  });
}
