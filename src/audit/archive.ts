import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateDirectory } from '../private-files/index.ts';
import type { AuditTable } from '../storage/index.ts';
import { type Block, endOf, type Link } from './chain.ts';

export interface ArchiveOptions {
  /** Where the segments go: `audit-<first>-<last>.jsonl`, private, never touched again. Lines as in `Block.body`. */
  readonly directory: string;
  /** How many events stay in the database, where `log` and `explain` look first. */
  readonly keptEvents: number;
}

/**
 * Moves the oldest blocks that follow `archived` into one segment file, a tenth of `keptEvents` at a time. The file is
 * on disk before the rows are deleted, so after a crash the events may be in both places, but are never lost.
 */
export async function archiveSegment(
  table: AuditTable,
  archived: Link,
  options: ArchiveOptions,
): Promise<void> {
  const blocks = oldestBlocks(table, archived, Math.ceil(options.keptEvents / 10));
  const last = blocks.at(-1);
  if (last === undefined) return;
  const name = segmentName(archived.sequence + 1, last.lastSequence);
  await writePrivate(options.directory, name, segmentText(archived, blocks));
  table.forgetArchived(archived, endOf(last));
}

function oldestBlocks(table: AuditTable, after: Link, events: number): readonly Block[] {
  const blocks: Block[] = [];
  let { sequence } = after;
  while (sequence < after.sequence + events) {
    const block = table.blockAfter(sequence);
    if (block === undefined) break;
    blocks.push(block);
    sequence = block.lastSequence;
  }
  return blocks;
}

/** One event a line, each block between the hash that it links to and its own, so that the file proves itself. */
function segmentText(archived: Link, blocks: readonly Block[]): string {
  const link = (hash: Uint8Array): string => JSON.stringify({ link: Buffer.from(hash).toString('hex') });
  return `${[link(archived.hash), ...blocks.flatMap((block) => [block.body, link(block.hash)])].join('\n')}\n`;
}

/** Not by `private-files`, which is synchronous: a segment is megabytes, and requests must not wait for it. */
async function writePrivate(directory: string, name: string, text: string): Promise<void> {
  makePrivateDirectory(directory);
  const path = join(directory, name);
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  if (process.platform === 'win32') return;
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The name of the file with these events. Names sort as the events do. */
export function segmentName(first: number, last: number): string {
  const [from, to] = [first, last].map((sequence) => String(sequence).padStart(12, '0'));
  return `audit-${from}-${to}.jsonl`;
}
