import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditTable } from '../storage/index.ts';
import { continues, endOf } from './chain.ts';

const verifiedAtOnce = 16;

/** The sequence number of the first event in the table that the chain does not prove; `undefined` when it proves all. */
export async function firstBrokenLink(table: AuditTable): Promise<number | undefined> {
  const { archived, head } = table.ends();
  let previous = archived;
  while (previous.sequence < head.sequence) {
    const blocks = table.blocksBetween(previous.sequence, head.sequence, verifiedAtOnce);
    const reached = previous.sequence;
    for (const block of blocks) {
      if (!continues(block, previous)) break;
      previous = endOf(block);
    }
    if (previous.sequence < (blocks.at(-1)?.lastSequence ?? head.sequence)) {
      // Unless they have been archived since, the next events are not what the head vouches for, or are missing.
      const { archived: moved } = table.ends();
      if (moved.sequence <= reached) return previous.sequence + 1;
      previous = moved;
    }
    await nextTurn();
  }
  return Buffer.compare(previous.hash, head.hash) === 0 ? undefined : head.sequence;
}
