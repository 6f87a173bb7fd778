/** One end of the chain: an event's number, and the hash of the chain up to it. */
export interface ChainLink {
  readonly sequence: number;
  readonly hash: Uint8Array;
}

/** Consecutive events that were written at once, as one link of the chain. What the body says is for the audit trail. */
export interface BlockRow {
  readonly lastSequence: number;
  readonly events: number;
  readonly body: string;
  readonly hash: Uint8Array;
}

/** Where the chain in the table begins, which is where the archive ends, and where it ends. */
export interface ChainEnds {
  readonly archived: ChainLink;
  readonly head: ChainLink;
}

/**
 * The audit trail's blocks. Synchronous, unlike the other tables: a reader sees the ends and the blocks of one moment,
 * and a batch is linked to the head that it is stored behind, without another lock.
 */
export interface AuditTable {
  ends(): ChainEnds;
  /** The block with the first event after this one. */
  blockAfter(sequence: number): BlockRow | undefined;
  /** The first `limit` blocks after one event, up to another. */
  blocksBetween(after: number, upTo: number, limit: number): readonly BlockRow[];
  /** The newest block whose last event is before this one. */
  blockBefore(sequence: number): BlockRow | undefined;
  /** As `blockBefore`, of those after `since` whose text contains these words. */
  blockContaining(words: string, since: number, before: number): BlockRow | undefined;
  /**
   * Adds the block that `link` returns for the ends, in one transaction. Unsynced, it survives the death of the process,
   * but a power cut can take it back until the next synced write. Never out of order, never half.
   */
  append(link: (ends: ChainEnds) => BlockRow, durability: 'synced' | 'unsynced'): void;
  /** Brings every earlier write to the disk. */
  sync(): void;
  /** Removes the blocks up to `last`, which are archived now; does nothing when another process moved the archive's end. */
  forgetArchived(archived: ChainLink, last: ChainLink): void;
}
